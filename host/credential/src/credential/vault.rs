//! The vault of a credential, which opens secrets for the credential's requests only.

use std::sync::Arc;

use shared_token_cache_entra::agent_session::AgentSession;
use shared_token_cache_entra::client::AZURE_CLI;
use shared_token_cache_vault::{Credential, Record, Vault};

use crate::error::{Error, LimitExceeded};
use crate::options::{CredentialOptions, HostSettings};
use shared_token_cache_policy::{CacheName, Policy};

/// The client id of the credential's requests.
pub(super) fn client_id(options: &CredentialOptions) -> &str {
    let record = options.authentication_record.as_ref();
    record.map(|record| &record.client_id).or(options.client_id.as_ref()).map_or(AZURE_CLI, String::as_str)
}

/// A vault that opens the secrets that this credential needs, and no others.
pub(super) fn new(options: &CredentialOptions, settings: &HostSettings, policy: &Arc<Policy>) -> Result<Vault, Error> {
    let record = options.authentication_record.as_ref();
    let authority = record.map(|record| &record.authority).or(options.authority.as_ref());
    let cache_name = options.cache_persistence_options.as_ref().and_then(|persistence| persistence.name.clone());
    let credential = Credential {
        cache_name: cache_name.unwrap_or_else(|| CacheName::default().to_string()),
        authority: authority.unwrap_or(&settings.default_authority_host).clone(),
        client_id: client_id(options).to_owned(),
        username: options.username.clone(),
        tenant_id: options.tenant_id.clone(),
        record: record.map(|record| Record {
            home_account_id: record.home_account_id.clone(),
            tenant_id: record.tenant_id.clone(),
        }),
        additionally_allowed_tenants: options.additionally_allowed_tenants.clone(),
        enable_guest_tenant_authentication: options.enable_guest_tenant_authentication,
        disable_multitenant_authentication: settings.disable_multitenant_authentication,
        agent_session_key: settings.agent_session.as_ref().map(AgentSession::cache_key),
        policy: Arc::clone(policy),
    };
    let largest_document = usize::try_from(policy.limits().document_size).unwrap_or(usize::MAX);
    Vault::new(credential, largest_document).map_err(|error| Error::Limit(LimitExceeded::fixed(&error.to_string())))
}
