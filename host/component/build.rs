//! Finds the artefacts; if they are missing, names the command that builds them.

use std::path::Path;
use std::{env, process};

fn main() {
    let artefacts = Path::new(env!("CARGO_MANIFEST_DIR")).join("artefacts");
    println!("cargo::rustc-check-cfg=cfg(precompiled)");
    println!("cargo::rerun-if-changed=artefacts");
    if !artefacts.join("shared-token-cache.wasm").is_file() {
        println!("cargo::error=the component is not built yet: run `cargo xtask build` in the repository first");
        process::exit(1);
    }
    let target = |name| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let compiled = artefacts.join(format!("{}-{}.cwasm", target("ARCH"), target("OS")));
    if compiled.is_file() {
        println!("cargo::rustc-cfg=precompiled");
        println!("cargo::rustc-env=PRECOMPILED={}", compiled.display());
    }
}
