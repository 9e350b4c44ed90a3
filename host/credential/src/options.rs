use std::time::Duration;

use crate::authentication_record::AuthenticationRecord;
use shared_token_cache_entra::cloud;
use shared_token_cache_policy::AuthorityHost;

/// What a component's credential is made with.
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
    /// Whether a cache that lies on the disk in plain text will do. Default: false.
    pub allow_unencrypted_storage: bool,
}

/// What one call asks for besides its scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TokenRequestOptions {
    /// Claims that the token must satisfy, a JSON object, such as those of a claims challenge. Rules out a cached token.
    pub claims: Option<String>,
    /// Tenant to ask, if it is not the configured one.
    pub tenant_id: Option<String>,
    /// Ask for a token under Continuous Access Evaluation.
    pub enable_cae: bool,
    /// How long the token has to live at least. A cached token that lives shorter is renewed. Where the new one lives shorter as
    /// well, it goes into the cache and the call fails as `no-token`.
    pub min_validity: Option<Duration>,
}

/// The host's settings, which hold for every credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// The authority of credentials that name none. Default: `login.microsoftonline.com`.
    pub default_authority_host: String,
    /// Whether every request goes to the configured tenant, whichever a call names. Default: false.
    pub disable_multitenant_authentication: bool,
}

impl Default for HostSettings {
    fn default() -> Self {
        Self { default_authority_host: cloud::DEFAULT_HOST.into(), disable_multitenant_authentication: false }
    }
}

impl HostSettings {
    /// The settings of Azure Identity's environment variables `AZURE_AUTHORITY_HOST` and
    /// `AZURE_IDENTITY_DISABLE_MULTITENANTAUTH` (on when it is set to anything).
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
