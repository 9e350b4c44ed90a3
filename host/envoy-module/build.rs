//! How a library is linked whose other half is the program that loads it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        // Envoy may close a module with its last configuration. A thread of this one may still run then, and wasmtime's signal
        // handlers stay for good, so it remains in memory.
        Ok("linux") => println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete"),
        // Envoy has the callbacks. Linux looks for them when the module is loaded, unasked.
        Ok("macos") => println!("cargo::rustc-cdylib-link-arg=-Wl,-undefined,dynamic_lookup"),
        _ => {}
    }
}
