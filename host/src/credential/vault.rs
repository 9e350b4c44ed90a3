//! The vault of a credential: what its secrets may be opened for.

use shared_token_cache_vault::{Credential, Record, Vault};

use super::options::{CredentialOptions, HostSettings};
use crate::error::{Error, LimitExceeded};
use crate::policy::CacheName;

/// The client that the component asks with unless it is told another: the Azure CLI's public one.
const DEFAULT_CLIENT: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// A vault that opens what this credential needs, and nothing else.
pub(super) fn new(options: &CredentialOptions, settings: &HostSettings, largest_document: u64) -> Result<Vault, Error> {
    let record = options.authentication_record.as_ref();
    let authority = record.map(|record| &record.authority).or(options.authority.as_ref());
    let client_id = record.map(|record| &record.client_id).or(options.client_id.as_ref());
    let cache_name = options.cache_persistence_options.as_ref().and_then(|persistence| persistence.name.clone());
    let credential = Credential {
        cache_name: cache_name.unwrap_or_else(|| CacheName::default().to_string()),
        authority: authority.unwrap_or(&settings.default_authority_host).clone(),
        client_id: client_id.map_or_else(|| DEFAULT_CLIENT.to_owned(), String::clone),
        username: options.username.clone(),
        tenant_id: options.tenant_id.clone(),
        record: record.map(|record| Record {
            home_account_id: record.home_account_id.clone(),
            tenant_id: record.tenant_id.clone(),
        }),
        additionally_allowed_tenants: options.additionally_allowed_tenants.clone(),
        enable_guest_tenant_authentication: options.enable_guest_tenant_authentication,
        disable_multitenant_authentication: settings.disable_multitenant_authentication,
        allows_account: None,
    };
    let largest_document = usize::try_from(largest_document).unwrap_or(usize::MAX);
    Vault::new(credential, largest_document).map_err(|error| Error::Limit(LimitExceeded::fixed(&error.to_string())))
}
