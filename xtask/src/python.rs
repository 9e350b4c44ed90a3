//! The peers that the interop tests run against.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::run::{output, root, say};

/// The versions that the tests were written against.
const PACKAGES: &[&str] = &["azure-identity==1.27.0", "msal==1.39.0", "msal-extensions==1.3.1"];

/// A Python with azure-identity, in a virtual environment below `target`, made when it is not there yet.
pub(crate) fn with_azure_identity() -> Result<PathBuf> {
    let environment = root().join("target/interop/python");
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if output(Command::new(&python).args(["-c", "import azure.identity, msal_extensions"])).is_ok() {
        return Ok(python);
    }
    say("installing azure-identity into target/interop/python");
    let base = if cfg!(windows) { "python" } else { "python3" };
    output(Command::new(base).args(["-m", "venv"]).arg(&environment)).context("no virtual environment can be made")?;
    output(
        Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES),
    )
    .context("azure-identity can't be installed")?;
    Ok(python)
}
