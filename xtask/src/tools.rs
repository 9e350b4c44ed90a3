//! External tools: the one in `PATH`, or one that is installed below `target`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::python::is_in_path;
use crate::run::{cargo, root, run, say};

/// A subcommand of cargo, `cargo-NAME`, at the version that this project was tested with. One in
/// `PATH` is used at any version.
pub(crate) fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    let folder = root().join("target/tools");
    let program = format!("cargo-{name}{}", std::env::consts::EXE_SUFFIX);
    let own = folder.join("bin").join(&program);
    if is_in_path(&program) {
        return Ok(program.into());
    }
    if own.is_file() {
        return Ok(own);
    }
    say(&format!("installing cargo-{name} {version} into target/tools"));
    let mut install = cargo();
    // Without optimisation, which halves the total time of a tool.
    install.env("CARGO_TARGET_DIR", &folder).args(["install", "--quiet", "--debug", "--locked", "--root"]);
    install.arg(&folder).arg(format!("cargo-{name}@{version}"));
    run(&mut install).with_context(|| format!("cargo-{name} can't be installed"))?;
    Ok(own)
}
