//! One call of a host, and its grants.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Serialize;
use shared_token_cache_interop::root;

/// The components of `target/dist`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Components {
    /// The component alone.
    pub(crate) bare: PathBuf,
    /// The component's imports on WASI.
    pub(crate) adapter: PathBuf,
    /// Both in one component.
    pub(crate) composed: PathBuf,
}

impl Components {
    pub(crate) fn published() -> Result<Self> {
        let folder = root().join("target/dist");
        let file = |name: &str| {
            let path = folder.join(name);
            if !path.is_file() {
                bail!("there is no {}; run `cargo xtask dist` first", path.display());
            }
            Ok(path)
        };
        Ok(Self {
            bare: file("shared-token-cache.wasm")?,
            adapter: file("shared-token-cache-wasi-adapter.wasm")?,
            composed: file("shared-token-cache-wasi.wasm")?,
        })
    }

    pub(crate) fn paths(&self) -> [&Path; 3] {
        [&self.bare, &self.adapter, &self.composed]
    }
}

/// One call, with the home folder and servers made for it. Scripts get it as JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Scene {
    pub(crate) components: Components,
    /// The home folder, as it is on this machine.
    pub(crate) home: PathBuf,
    /// The authority, as a host with a port.
    pub(crate) authority: String,
    /// The file of the CA to trust; `None` where the authority is asked over plain HTTP.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) granted: Granted,
    pub(crate) operation: Operation,
    pub(crate) scopes: Vec<String>,
}

/// The host's grants to the component.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Granted {
    /// The home folder, for reading and writing.
    pub(crate) storage: bool,
    /// Requests to the authority.
    pub(crate) network: bool,
    /// The variable `HOME`.
    pub(crate) home_variable: bool,
}

impl Granted {
    pub(crate) const ALL: Self = Self { storage: true, network: true, home_variable: true };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    Supported,
    GetToken,
}

impl Scene {
    /// The adapter's environment variables; `home` is the component's path of the home folder.
    pub(crate) fn environment(&self, home: &str) -> Vec<(&'static str, String)> {
        let mut variables = vec![("AZURE_AUTHORITY_HOST", self.authority.clone())];
        if self.ca.is_none() {
            variables.push(("SHARED_TOKEN_CACHE_PLAIN_HTTP", self.authority.clone()));
        }
        if self.granted.home_variable {
            variables.push(("HOME", home.to_owned()));
        }
        variables
    }
}
