//! Compiles a component ahead of time: `shared-token-cache-precompile COMPONENT TARGET OUTPUT`.
//!
//! A separate program and not a build script, so that users of the library compile wasmtime once
//! and never cranelift.

#[path = "../../credential/src/sandbox/config.rs"]
mod config;

use std::error::Error;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [component, target, output] = arguments.as_slice() else {
        return Err("usage: shared-token-cache-precompile COMPONENT TARGET OUTPUT".into());
    };
    // For the target's oldest processors, not for those of the build machine.
    let engine = wasmtime::Engine::new(&config::config(Some(target))?)?;
    let bytes = fs::read(component).map_err(|error| format!("cannot read {component}: {error}"))?;
    let compiled = engine.precompile_component(&bytes)?;
    if fs::read(output).ok().as_deref() != Some(&compiled) {
        fs::write(output, compiled).map_err(|error| format!("cannot write {output}: {error}"))?;
    }
    Ok(())
}
