//! The clients of the endpoint, and their profiles.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared_token_cache::policy::ProfileName;
use tokio::sync::Semaphore;

use super::key::{KeyFile, KeyHash};
use super::rate::Rate;

/// The rate limit of a client. A program with many workers requests a token for each at its start,
/// and later one per hour.
const BURST: u32 = 100;
const EACH_SECOND: f64 = 10.0;

/// The concurrent requests of a client. Requests that wait for an authority then leave connections
/// to other clients.
const AT_ONCE: usize = 24;

/// The name of a client, for the log, the audit and its key file: up to 64 letters, digits, `.`,
/// `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientName(String);

impl ClientName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClientName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let good = (1..=64).contains(&text.len())
            && !text.starts_with('.')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err("a client's name has up to 64 letters, digits, `.`, `_` and `-`, and begins with no dot".to_owned())
        }
    }
}

/// `--http-client`: a client, and the profiles whose tokens it may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) name: ClientName,
    pub(crate) profiles: Vec<ProfileName>,
}

impl FromStr for Granted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, profiles) =
            text.split_once('=').ok_or("write it as the client's name, `=`, and profiles with commas")?;
        let profiles: Result<Vec<ProfileName>, _> = profiles.split(',').map(str::parse).collect();
        let profiles = profiles.map_err(|error| error.to_string())?;
        let is_twice = |(position, profile)| profiles.iter().take(position).any(|other: &ProfileName| other == profile);
        if profiles.iter().enumerate().any(is_twice) {
            return Err("a profile is named twice".to_owned());
        }
        Ok(Self { name: name.parse()?, profiles })
    }
}

/// A client with its key.
pub(crate) struct Client {
    pub(crate) granted: Granted,
    hash: KeyHash,
    /// `None` for the child of `run`, whose key ends with its agent.
    file: Option<KeyFile>,
    rate: Mutex<Rate>,
    pub(super) at_once: Semaphore,
    /// The last logged failure. A failure that lasts is logged once.
    logged: Mutex<Option<String>>,
    /// Whether the revocation of the key was logged.
    is_revoked: AtomicBool,
}

impl Client {
    pub(crate) fn new(granted: Granted, hash: KeyHash, file: Option<KeyFile>) -> Self {
        let rate = Mutex::new(Rate::new(BURST, EACH_SECOND));
        Self {
            granted,
            hash,
            file,
            rate,
            at_once: Semaphore::new(AT_ONCE),
            logged: Mutex::default(),
            is_revoked: AtomicBool::new(false),
        }
    }

    /// The file of its key.
    pub(crate) fn key_file(&self) -> Option<&KeyFile> {
        self.file.as_ref()
    }

    /// Takes a slot from the client's rate limit, or returns how long to wait.
    pub(super) fn take_turn(&self) -> Result<(), Duration> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now())
    }

    /// Whether the failure differs from the last one; `None` is a success.
    pub(super) fn is_news(&self, failure: Option<String>) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = failure.is_some() && *logged != failure;
        *logged = failure;
        is_news
    }
}

/// The reason why a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoClient {
    Unknown,
    Revoked,
}

/// The client with this key. All clients are compared, so that the time does not depend on the key.
pub(super) fn find<'a>(clients: &'a [Client], key: &[u8]) -> Result<&'a Client, NoClient> {
    let hash = KeyHash::of(key);
    let mut found = None;
    for client in clients {
        if client.hash.is(&hash) {
            found = Some(client);
        }
    }
    let client = found.ok_or(NoClient::Unknown)?;
    match &client.file {
        Some(file) if !file.is_in_place() => {
            if !client.is_revoked.swap(true, Ordering::SeqCst) {
                let (name, path) = (&client.granted.name, file.path().display());
                tracing::warn!("the key of the client {name} is revoked: its file {path} was removed or replaced");
            }
            Err(NoClient::Revoked)
        }
        Some(_) | None => Ok(client),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_a_name_and_profiles() {
        let granted: Granted = "app-1=vault,entra/graph".parse().unwrap();
        let profiles: Vec<_> = granted.profiles.iter().map(ProfileName::as_str).collect();
        assert_eq!((granted.name.as_str(), profiles), ("app-1", vec!["vault", "entra/graph"]));
        for text in
            ["app", "app=", "=vault", "a/b=vault", "..=vault", ".a=vault", "a b=vault", "a=v,", "a=v,v", "a=v w"]
        {
            assert!(text.parse::<Granted>().is_err(), "{text:?}");
        }
    }
}
