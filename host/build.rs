//! Compiles the component ahead of time, with the very engine that will load it.

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/plugin/config.rs"]
mod config;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let component = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/component/shared-token-cache.wasm");
    let script = [component.display().to_string(), "src/plugin/config.rs".into(), "../wit".into(), "build.rs".into()];
    for path in script {
        println!("cargo::rerun-if-changed={path}");
    }
    let wasm = fs::read(&component)
        .map_err(|error| format!("{}: {error}; build it with `cargo xtask build`", component.display()))?;
    // For the target's baseline, not for the processor of the machine that builds.
    let engine = wasmtime::Engine::new(&config::config(Some(&env::var("TARGET")?))?)?;
    let compiled = PathBuf::from(env::var("OUT_DIR")?).join("component.cwasm");
    fs::write(compiled, engine.precompile_component(&wasm)?)?;
    Ok(())
}
