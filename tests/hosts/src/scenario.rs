//! The scenarios that every host runs.

use std::fmt;

use anyhow::{Result, bail, ensure};
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::sign_in::{self, Home, UNKNOWN};
use token_endpoint::sign_in::{VAULT, access_token, new_access_token, new_refresh_token, refresh_token};

use crate::legs::Host;
use crate::outcome::{Failure, Outcome};
use crate::scene::{Components, Granted, Operation, Scene};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    Supported,
    CachedToken,
    Refresh,
    AmbiguousAccount,
    DeniedNetwork,
    CorruptCache,
    MissingFile,
    NoFolder,
    NoHome,
}

impl Scenario {
    pub(crate) const ALL: &[Self] = &[
        Self::Supported,
        Self::CachedToken,
        Self::Refresh,
        Self::AmbiguousAccount,
        Self::DeniedNetwork,
        Self::CorruptCache,
        Self::MissingFile,
        Self::NoFolder,
        Self::NoHome,
    ];

    /// Runs the scenario on a host; the error describes a wrong outcome.
    pub(crate) fn run(self, scheme: Scheme, host: &mut dyn Host, components: &Components) -> Result<()> {
        let cache = match self {
            Self::Supported | Self::MissingFile => None,
            Self::CachedToken | Self::NoFolder | Self::NoHome => Some(sign_in::cached()),
            Self::Refresh | Self::DeniedNetwork => Some(sign_in::expired()?),
            Self::AmbiguousAccount => Some(sign_in::two()),
            Self::CorruptCache => Some(sign_in::corrupt()),
        };
        let home = Home::with(cache.as_deref())?;
        let authority = Authority::start(scheme)?;
        let outcome = host.call(&self.scene(components, &home, &authority))?;
        let problem = self.check(&outcome, &home, &authority, cache.as_deref());
        problem.map_err(|why| why.context(format!("{outcome:?}")))
    }

    fn scene(self, components: &Components, home: &Home, authority: &Authority) -> Scene {
        let granted = match self {
            Self::DeniedNetwork => Granted { network: false, ..Granted::ALL },
            Self::NoFolder => Granted { storage: false, ..Granted::ALL },
            Self::NoHome => Granted { home_variable: false, ..Granted::ALL },
            _ => Granted::ALL,
        };
        Scene {
            components: components.clone(),
            home: home.path().to_path_buf(),
            authority: authority.name(),
            ca: authority.ca(),
            granted,
            operation: if self == Self::Supported { Operation::Supported } else { Operation::GetToken },
            scopes: vec![VAULT.to_owned()],
        }
    }

    fn check(self, outcome: &Outcome, home: &Home, authority: &Authority, before: Option<&str>) -> Result<()> {
        match self {
            Self::Supported => ensure!(*outcome == Outcome::Supported { supported: true }, "not supported"),
            Self::CachedToken | Self::NoHome => is_token(outcome, &access_token(0, VAULT))?,
            Self::Refresh => is_token(outcome, &new_access_token(0))?,
            Self::AmbiguousAccount => {
                let error = is_error(outcome, "credential-unavailable", Some("multiple-accounts"))?;
                let mut candidates = error.candidates.clone();
                candidates.sort_unstable();
                ensure!(candidates == ["user0@contoso.com", "user1@contoso.com"], "other candidates");
            }
            Self::DeniedNetwork => {
                is_error(outcome, "denied", None)?;
            }
            Self::CorruptCache => {
                is_error(outcome, "credential-unavailable", Some("cache-corrupt"))?;
            }
            Self::MissingFile => {
                let error = is_error(outcome, "credential-unavailable", Some("no-accounts"))?;
                ensure!(error.message.contains("msal.cache.nocae"), "the message does not name the file");
            }
            Self::NoFolder => {
                let error = is_error(outcome, "credential-unavailable", Some("cache-unavailable"))?;
                ensure!(error.message.contains("grant"), "the message does not name the missing grant");
            }
        }
        if self == Self::Refresh {
            is_written_back(home)?;
            is_redeemed_once(authority)?;
        } else {
            ensure!(authority.requests().is_empty(), "a request was made");
            match before {
                Some(before) => ensure!(home.text()? == before, "the cache file has changed"),
                None => ensure!(!home.cache().exists(), "a cache file was created"),
            }
        }
        let beside = home.beside()?;
        ensure!(beside.is_empty(), "left beside the cache: {}", beside.join(", "));
        Ok(())
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Supported => "supported",
            Self::CachedToken => "cached token",
            Self::Refresh => "refresh with write-back",
            Self::AmbiguousAccount => "ambiguous account",
            Self::DeniedNetwork => "network not granted",
            Self::CorruptCache => "corrupt cache",
            Self::MissingFile => "no cache file",
            Self::NoFolder => "folder not granted",
            Self::NoHome => "no HOME",
        })
    }
}

pub(crate) fn is_token(outcome: &Outcome, expected: &str) -> Result<()> {
    match outcome {
        Outcome::Token { token, expires_on } => {
            ensure!(token == expected, "not the token {expected}");
            ensure!(*expires_on > 1_800_000_000, "the token has expired");
            Ok(())
        }
        Outcome::Sent { token } => {
            ensure!(token == expected, "not the token {expected}");
            Ok(())
        }
        _ => bail!("no token"),
    }
}

pub(crate) fn is_error<'a>(outcome: &'a Outcome, kind: &str, reason: Option<&str>) -> Result<&'a Failure> {
    let Outcome::Error { error } = outcome else { bail!("no error") };
    ensure!(error.kind == kind && error.reason.as_deref() == reason, "not {kind}/{}", reason.unwrap_or_default());
    let secret = [refresh_token(0), new_refresh_token(0), access_token(0, VAULT), new_access_token(0)];
    ensure!(!secret.iter().any(|secret| error.message.contains(secret)), "the message holds a secret");
    Ok(error)
}

/// The file contains the new tokens, and everything that was in it before.
pub(crate) fn is_written_back(home: &Home) -> Result<()> {
    let (text, document) = (home.text()?, home.read()?);
    ensure!(text.contains(&new_access_token(0)), "the new access token is not in the cache");
    ensure!(text.contains(&new_refresh_token(0)), "the new refresh token is not in the cache");
    ensure!(!text.contains(&format!("\"{}\"", refresh_token(0))), "the old refresh token is still in the cache");
    let unknown = serde_json::from_str::<serde_json::Value>(&sign_in::expired()?)?;
    ensure!(document.get(UNKNOWN) == unknown.get(UNKNOWN), "the section {UNKNOWN} has changed");
    is_private(home)
}

#[cfg(unix)]
fn is_private(home: &Home) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(home.cache())?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "the cache file has mode {mode:o}");
    Ok(())
}

#[cfg(not(unix))]
fn is_private(_: &Home) -> Result<()> {
    Ok(())
}

pub(crate) fn is_redeemed_once(authority: &Authority) -> Result<()> {
    let requests = authority.requests();
    let [request] = requests.as_slice() else { bail!("{} requests were made", requests.len()) };
    ensure!(request.path == "/organizations/oauth2/v2.0/token", "a request to {}", request.path);
    ensure!(request.method == "POST" && request.host == authority.name(), "{} to {}", request.method, request.host);
    ensure!(request.field("grant_type") == Some("refresh_token"), "not a refresh token grant");
    ensure!(request.field("refresh_token") == Some(&refresh_token(0)), "not the refresh token of the cache");
    Ok(())
}
