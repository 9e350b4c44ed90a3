use crate::error::Error;
use crate::record::AuthenticationRecord;
use crate::types::{Authority, CacheName, ClientId, TenantId};

/// The options of a credential, all optional. They have no `Debug`, because a record holds an
/// account's full id.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Username of the account to use.
    pub username: Option<String>,
    /// Host of the authority.
    pub authority: Option<String>,
    /// Home tenant of the account to use.
    pub tenant_id: Option<String>,
    /// Client id of the requests.
    pub client_id: Option<String>,
    /// The account to use, as azure-identity's JSON. Its authority and client then apply to the
    /// credential.
    pub authentication_record: Option<String>,
    /// Which cache to use.
    pub cache_persistence_options: Option<CachePersistenceOptions>,
    /// Tenants that a call may name besides the configured one.
    pub additionally_allowed_tenants: Vec<String>,
    /// Request tokens from `tenant_id`, as a guest there.
    pub enable_guest_tenant_authentication: bool,
}

/// The cache that a credential reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CachePersistenceOptions {
    /// Name of the cache.
    pub name: Option<String>,
    /// Whether a cache in plain text is accepted.
    pub allow_unencrypted_storage: bool,
}

/// The options of one call besides its scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRequestOptions {
    /// Claims that the token must satisfy, a JSON object.
    pub claims: Option<String>,
    /// Tenant that issues the token.
    pub tenant_id: Option<String>,
    /// Request a token under Continuous Access Evaluation.
    pub enable_cae: bool,
    /// The least remaining lifetime of the token, in seconds.
    pub min_validity: Option<u32>,
}

/// Validated [`Options`].
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    pub(crate) username: Option<String>,
    /// `None`: the host's default.
    pub(crate) authority: Option<Authority>,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) client_id: ClientId,
    pub(crate) record: Option<AuthenticationRecord>,
    pub(crate) cache_name: CacheName,
    pub(crate) allow_unencrypted_storage: bool,
    pub(crate) additionally_allowed_tenants: Vec<String>,
    pub(crate) enable_guest_tenant_authentication: bool,
}

impl TryFrom<Options> for Configuration {
    type Error = Error;

    fn try_from(options: Options) -> Result<Self, Error> {
        // Without options, the user's own cache is read, encrypted or not.
        let persistence = options
            .cache_persistence_options
            .unwrap_or(CachePersistenceOptions { name: None, allow_unencrypted_storage: true });
        let authority = options.authority.as_deref().map(Authority::parse).transpose()?;
        let client_id = options.client_id.as_deref().map(ClientId::parse).transpose()?;
        let record = options.authentication_record.as_deref().map(AuthenticationRecord::parse).transpose()?;
        let (authority, client_id) = match &record {
            Some(record) => (Some(record.authority.clone()), record.client_id.clone()),
            None => (authority, client_id.unwrap_or_default()),
        };
        Ok(Self {
            username: options.username.filter(|name| !name.is_empty()),
            authority,
            tenant_id: options.tenant_id.as_deref().map(TenantId::parse).transpose()?,
            client_id,
            record,
            cache_name: persistence.name.as_deref().map(CacheName::parse).transpose()?.unwrap_or_default(),
            allow_unencrypted_storage: persistence.allow_unencrypted_storage,
            additionally_allowed_tenants: options.additionally_allowed_tenants,
            enable_guest_tenant_authentication: options.enable_guest_tenant_authentication,
        })
    }
}
