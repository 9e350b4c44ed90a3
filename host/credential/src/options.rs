use std::time::Duration;

use crate::authentication_record::AuthenticationRecord;
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
}

impl Default for HostSettings {
    fn default() -> Self {
        Self { default_authority_host: cloud::DEFAULT_HOST.into(), disable_multitenant_authentication: false }
    }
}

impl HostSettings {
    /// The settings of Azure Identity's environment variables `AZURE_AUTHORITY_HOST` and
    /// `AZURE_IDENTITY_DISABLE_MULTITENANTAUTH` (on with any value that is not empty).
    ///
    /// # Errors
    /// When `AZURE_AUTHORITY_HOST` is not the host of an authority.
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
        Ok(settings)
    }
}
