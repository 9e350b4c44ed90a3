//! Home folders with made-up sign-ins.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;
use token_endpoint::sign_in::{LOCAL, SignIn, VAULT, document};

/// A home folder, and its shared cache.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// A home folder with this text as its cache, or with an empty folder for the cache.
    pub fn with(cache: Option<&str>) -> Result<Self> {
        // Canonical: a host may show a component the real path, and some do not follow symbolic
        // links to a temporary folder.
        let folder = tempfile::Builder::new().prefix("shared-token-cache-").tempdir()?;
        let home = Self { folder };
        fs::create_dir(home.path().join(".IdentityService"))?;
        if let Some(text) = cache {
            fs::write(home.cache(), text)?;
            restrict(&home.cache())?;
        }
        Ok(home)
    }

    /// Replaces the cache atomically, as MSAL does.
    pub fn replace(&self, cache: &str) -> Result<()> {
        let new = self.cache().with_extension("new");
        fs::write(&new, cache)?;
        restrict(&new)?;
        Ok(fs::rename(new, self.cache())?)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The file of its shared cache.
    pub fn cache(&self) -> PathBuf {
        self.path().join(".IdentityService/msal.cache.nocae")
    }

    /// The cache's text.
    pub fn text(&self) -> Result<String> {
        fs::read_to_string(self.cache()).context("the cache can't be read")
    }

    /// The cache as JSON.
    pub fn read(&self) -> Result<Value> {
        serde_json::from_str(&self.text()?).context("the cache is not JSON any more")
    }

    /// The names of all files beside the cache, such as a lock file or temporary file that was left
    /// behind.
    pub fn beside(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path().join(".IdentityService"))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| name != "msal.cache.nocae");
        Ok(names)
    }
}

/// A section that is unknown to every version of MSAL: it has to survive a write.
pub const UNKNOWN: &str = "TestExtension";

/// User 0 with a cached token for the vault.
pub fn cached() -> String {
    cached_by(LOCAL)
}

/// User 0 with a cached token for the vault, signed in at another authority.
pub fn cached_by(environment: &str) -> String {
    document(&[SignIn::new(0, environment).access_token(VAULT)])
}

/// User 0 with an expired token for the vault, and an unknown section.
pub fn expired() -> Result<String> {
    let past = json!({ "expires_on": "1700003600", "extended_expires_on": "1700003600" });
    let text = document(&[SignIn::new(0, LOCAL).access_token_with(VAULT, past)]);
    let mut document: Value = serde_json::from_str(&text)?;
    if let Some(sections) = document.as_object_mut() {
        sections.insert(UNKNOWN.into(), json!({ "key": { "kept": [1, 2.50, "ü"] } }));
    }
    Ok(format!("{document:#}"))
}

/// Users 0 and 1.
pub fn two() -> String {
    document(&[SignIn::new(0, LOCAL), SignIn::new(1, LOCAL)])
}

/// User 0's document, truncated in the middle.
pub fn corrupt() -> String {
    let mut text = cached();
    text.truncate(text.len() / 2);
    text
}

#[cfg(unix)]
fn restrict(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> Result<()> {
    Ok(())
}
