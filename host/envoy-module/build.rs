//! Link arguments of a library whose callbacks are defined by the program that loads it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        // Envoy may unload a module with its last configuration. A thread of this module may still
        // run then, and wasmtime's signal handlers are never removed, so the module must stay in
        // memory.
        Ok("linux") => println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete"),
        // Envoy defines the callbacks. On Linux undefined symbols are allowed by default.
        Ok("macos") => println!("cargo::rustc-cdylib-link-arg=-Wl,-undefined,dynamic_lookup"),
        _ => {}
    }
}
