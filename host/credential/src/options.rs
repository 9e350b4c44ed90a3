use std::ffi::OsString;
use std::time::Duration;

use crate::authentication_record::AuthenticationRecord;
use shared_token_cache_entra::agent_session::{self, AgentSession};
use shared_token_cache_entra::cloud;
use shared_token_cache_policy::AuthorityHost;

/// The options of a component's credential.
#[derive(Debug, Clone, Default)]
pub(crate) struct CredentialOptions {
    pub(crate) username: Option<String>,
    pub(crate) authority: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) authentication_record: Option<AuthenticationRecord>,
    pub(crate) cache_persistence_options: Option<CachePersistenceOptions>,
    pub(crate) additionally_allowed_tenants: Vec<String>,
    pub(crate) enable_guest_tenant_authentication: bool,
}

/// The cache that a credential reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CachePersistenceOptions {
    /// Name of the cache. Default: `msal.cache`.
    pub name: Option<String>,
    /// Whether a plain-text cache is accepted. Default: false.
    pub allow_unencrypted_storage: bool,
}

/// The options of a call, besides its scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TokenRequestOptions {
    /// Claims that the token must satisfy, a JSON object, such as those of a claims challenge.
    /// Cached tokens are then not used.
    pub claims: Option<String>,
    /// The tenant of the request, if it differs from the configured one.
    pub tenant_id: Option<String>,
    /// Request a token under Continuous Access Evaluation.
    pub enable_cae: bool,
    /// The least remaining lifetime of the token. A cached token with less is renewed. If the new
    /// token has less too, it is stored in the cache and the call fails with `no-token`.
    pub min_validity: Option<Duration>,
}

/// The host's settings, for all credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// The authority of credentials that name none. Default: `login.microsoftonline.com`.
    pub default_authority_host: String,
    /// Whether every request goes to the configured tenant, whichever tenant a call names. Default:
    /// false.
    pub disable_multitenant_authentication: bool,
    /// The agent session that tokens are marked with. Each token request names it, and only tokens
    /// that are cached for it are served. Default: none, and then only tokens without a mark are
    /// served.
    pub agent_session: Option<AgentSession>,
}

impl Default for HostSettings {
    fn default() -> Self {
        Self {
            default_authority_host: cloud::DEFAULT_HOST.into(),
            disable_multitenant_authentication: false,
            agent_session: None,
        }
    }
}

impl HostSettings {
    /// The settings of Azure Identity's environment variables `AZURE_AUTHORITY_HOST` and
    /// `AZURE_IDENTITY_DISABLE_MULTITENANTAUTH` (on with any value that is not empty), and of the
    /// Azure CLI's `COPILOT_AGENT_SESSION_ID`.
    ///
    /// # Errors
    /// When `AZURE_AUTHORITY_HOST` is not the host of an authority, or `COPILOT_AGENT_SESSION_ID`
    /// is not the id of a session: a token without the mark must not take its place.
    pub fn from_env() -> Result<Self, String> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let mut settings = Self {
            disable_multitenant_authentication: variable("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH").is_some(),
            ..Self::default()
        };
        if let Some(host) = variable("AZURE_AUTHORITY_HOST") {
            let host: AuthorityHost = host.parse().map_err(|error| format!("AZURE_AUTHORITY_HOST: {error}"))?;
            settings.default_authority_host = host.to_string();
        }
        settings.agent_session = Self::agent_session_from_env()?;
        Ok(settings)
    }

    /// The agent session of `COPILOT_AGENT_SESSION_ID`; none if the variable is not set or empty.
    ///
    /// # Errors
    /// When its value is not the id of a session.
    pub fn agent_session_from_env() -> Result<Option<AgentSession>, String> {
        agent_session(std::env::var_os(agent_session::VARIABLE))
    }
}

/// The agent session that the variable names; none if it is empty, as in the Azure CLI.
fn agent_session(value: Option<OsString>) -> Result<Option<AgentSession>, String> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    // Bytes that are not UTF-8 are replaced by a character that is not ASCII, and so refused.
    let id = value.to_string_lossy().parse().map_err(|error| format!("{}: {error}", agent_session::VARIABLE))?;
    Ok(Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_session_is_read_or_refused_and_never_ignored() {
        let read = |value: &str| agent_session(Some(value.into()));
        assert_eq!(agent_session(None), Ok(None));
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("session-1").unwrap().unwrap().id(), "session-1");
        for value in [" ", "hunter2 \n", "ü", &"x".repeat(257)] {
            let error = read(value).unwrap_err();
            assert!(error.starts_with("COPILOT_AGENT_SESSION_ID: ") && !error.contains("hunter2"), "{error}");
        }
    }
}
