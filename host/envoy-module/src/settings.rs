//! The fields of `filter_config`.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use shared_token_cache::policy::{AuthorityHost, Policy, Profile};
use shared_token_cache_storage::files;

/// All mistakes in a configuration.
pub(crate) type Mistakes = Vec<String>;

/// The fields of the JSON object. Relative paths start at Envoy's working directory, like those of
/// Envoy's own configuration.
#[derive(Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    policy: PathBuf,
    profile: String,
    authority: Option<String>,
    ca_file: Option<PathBuf>,
    component: Option<PathBuf>,
    audit: Option<PathBuf>,
}

/// Settings with the contents of the files that they name. Equal ones make the same requests.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Contents {
    settings: Settings,
    policy: String,
    ca_file: Option<Vec<u8>>,
    component: Option<Vec<u8>>,
}

/// The most bytes of a policy, and of a CA file.
const LARGEST_POLICY: u64 = 1 << 20;
const LARGEST_CA_FILE: u64 = 16 << 20;

/// Settings that passed all checks that start nothing.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) policy: Policy,
    pub(crate) profile: Profile,
    /// The authority for a profile that names none.
    pub(crate) authority: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) component: Option<PathBuf>,
    pub(crate) audit: Option<PathBuf>,
    pub(crate) contents: Contents,
}

impl Checked {
    /// Reads settings and the files that they name.
    ///
    /// # Errors
    /// All mistakes in them.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Mistakes> {
        let settings: Settings =
            serde_json::from_slice(text).map_err(|error| vec![format!("cannot parse it: {error}")])?;
        let text = String::from_utf8(contents(&settings.policy, LARGEST_POLICY)?)
            .map_err(|_| mistake(&settings.policy, &"cannot be read: it is not UTF-8"))?;
        let policy = policy(&settings.policy, &text)?;
        let profile = profile(&settings, &policy)?;
        let authority = authority(&settings, &policy, &profile)?;
        let ca_file = settings.ca_file.as_ref().map(|path| contents(path, LARGEST_CA_FILE)).transpose()?;
        let largest = policy.limits().component_size;
        let component = settings.component.as_ref().map(|path| contents(path, largest)).transpose()?;
        Ok(Self {
            policy,
            profile,
            authority,
            ca_file: settings.ca_file.clone(),
            component: settings.component.clone(),
            audit: settings.audit.clone(),
            contents: Contents { settings, policy: text, ca_file, component },
        })
    }
}

fn contents(path: &Path, largest: u64) -> Result<Vec<u8>, Mistakes> {
    files::read_input(path, largest).map_err(|error| mistake(path, &format!("cannot be read: {error}")))
}

fn policy(path: &Path, text: &str) -> Result<Policy, Mistakes> {
    Policy::from_toml(text)
        .map_err(|error| error.problems().iter().map(|problem| format!("{}:{problem}", path.display())).collect())
}

fn profile(settings: &Settings, policy: &Policy) -> Result<Profile, Mistakes> {
    policy.profile(&settings.profile).cloned().ok_or_else(|| {
        let names: Vec<_> = policy.profiles().iter().map(|profile| profile.name().as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        mistake(&settings.policy, &format!("has no profile {:?}; it has {names}", settings.profile))
    })
}

fn authority(settings: &Settings, policy: &Policy, profile: &Profile) -> Result<Option<String>, Mistakes> {
    let Some(text) = settings.authority.as_ref().filter(|_| profile.authority().is_none()) else { return Ok(None) };
    let host: AuthorityHost = text.parse().map_err(|error| vec![format!("`authority`: {error}")])?;
    policy.check_authority(&host).map_err(|denied| vec![format!("`authority`: {denied}")])?;
    Ok(Some(host.to_string()))
}

fn mistake(path: &Path, what: &dyn Display) -> Mistakes {
    vec![format!("{} {what}", path.display())]
}

#[cfg(test)]
mod tests;
