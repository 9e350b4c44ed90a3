//! The example on pingora: a workspace of its own, because it needs cmake and 190 crates that no
//! other part needs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::component;
use crate::python::{BASE, is_in_path};
use crate::run::{cargo, output, quick_cargo, root, run, say};

/// Builds the example and runs its tests, unless a requirement can't be installed.
pub(crate) fn test() -> Result<()> {
    component::build_artefacts()?;
    let lock = folder().join("Cargo.lock");
    let before = fs::read(&lock)?;
    let cmake = match fetch().and_then(|()| cmake()) {
        Ok(cmake) => cmake,
        Err(why) => {
            say(&format!("pingora: skipped, because {why:#}"));
            return Ok(());
        }
    };
    if fs::read(&lock)? != before {
        bail!("{} was out of date: look at what cargo changed there, and commit it", lock.display());
    }
    let mut cargo = quick_cargo();
    cargo.args(["test", "--locked", "--manifest-path"]).arg(folder().join("Cargo.toml"));
    cargo.args(["--", "--nocapture"]);
    if let Some(cmake) = cmake {
        cargo.env("CMAKE", cmake);
    }
    say("building the example on pingora and running its tests (the first time takes some minutes)");
    run(&mut cargo)
}

/// Downloads all dependencies of the example.
fn fetch() -> Result<()> {
    let fetched = output(cargo().args(["fetch", "--manifest-path"]).arg(folder().join("Cargo.toml")));
    fetched.map(drop).context("its crates can't be had")
}

/// A cmake from PyPI; `None` if one is in `PATH`.
fn cmake() -> Result<Option<PathBuf>> {
    if is_in_path(if cfg!(windows) { "cmake.exe" } else { "cmake" }) {
        return Ok(None);
    }
    let folder = root().join("target/interop/cmake");
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let cmake = programs.join(format!("cmake{}", std::env::consts::EXE_SUFFIX));
    if output(Command::new(&cmake).arg("--version")).is_ok() {
        return Ok(Some(cmake));
    }
    say("installing cmake into target/interop/cmake");
    output(Command::new(BASE).args(["-m", "venv", "--clear"]).arg(&folder))
        .context("there is no cmake, and no virtual environment can be made for one")?;
    let python = programs.join(format!("python{}", std::env::consts::EXE_SUFFIX));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"];
    output(Command::new(python).args(pip).arg(self::folder().join("tests/requirements.txt")))
        .context("there is no cmake, and pip can't install it")?;
    output(Command::new(&cmake).arg("--version")).context("the cmake that was installed can't be used")?;
    Ok(Some(cmake))
}

fn folder() -> PathBuf {
    root().join("examples/pingora")
}
