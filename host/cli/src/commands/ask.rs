//! Tokens for callers that pass none of this program's options.

use std::path::Path;
use std::time::Duration;

use shared_token_cache::policy::{AuthorityHost, CoreDumps, Policy, Source};
use shared_token_cache::{HostSettings, SharedTokenCacheCredential, TokenRequestOptions, TransportOptions};
use shared_token_cache_entra::cache::DEFAULT_NAME;

use super::arguments::Sources;
use super::broker::Broker;
use super::called::{POLICY_VARIABLE, VALIDITY_VARIABLE};
use super::core_dumps;
use super::credential;
use super::forms::Token;
use super::output::Failure;
use super::validity::{self, Validity};

/// The time limit of a call. SDKs give a tool 10 to 13 seconds.
pub(super) const BUDGET: Duration = Duration::from_secs(9);

/// The share of it for connecting.
const CONNECT: Duration = Duration::from_secs(5);

/// A token request.
pub(super) struct Ask {
    pub(super) scopes: Vec<String>,
    pub(super) tenant: Option<String>,
    pub(super) claims: Option<String>,
    /// `None` in a sandbox, whose broker selects the account.
    pub(super) signed_in: Option<SignedIn>,
}

/// The account and the cloud of the Azure CLI's sign-in.
pub(super) struct SignedIn {
    pub(super) username: String,
    pub(super) authority: &'static str,
}

/// Gets a token from the broker if the environment has one, else from the Azure CLI's cache.
pub(super) async fn token(ask: Ask) -> Result<Token, Failure> {
    let validity = Validity::from_env(VALIDITY_VARIABLE)?;
    if let Some(broker) = Broker::from_env() {
        return broker.token(&ask, validity).await;
    }
    let mut settings = HostSettings::from_env().map_err(Failure::invalid)?;
    // The Azure CLI does not read the SDKs' variable that forbids other tenants.
    settings.disable_multitenant_authentication = false;
    if let Some(SignedIn { authority, .. }) = &ask.signed_in
        && std::env::var_os("AZURE_AUTHORITY_HOST").is_none_or(|value| value.is_empty())
    {
        settings.default_authority_host = authority.parse::<AuthorityHost>().map_err(Failure::invalid)?.to_string();
    }
    let policy = match std::env::var_os(POLICY_VARIABLE).filter(|value| !value.is_empty()) {
        Some(path) => credential::from_file(Path::new(&path))?,
        None => credential::built_in(DEFAULT_NAME, &Sources(vec![Source::AzureCli]), None, &settings)?,
    };
    if policy.core_dumps() == CoreDumps::Allow {
        core_dumps::allow();
    }
    let mut transport = TransportOptions::default();
    (transport.connect_timeout, transport.request_timeout) = (CONNECT, BUDGET);
    let mut builder = SharedTokenCacheCredential::builder()
        .policy(within_budget(policy))
        .sources([Source::AzureCli])
        .host_settings(settings)
        .transport(transport);
    if let Some(SignedIn { username, .. }) = ask.signed_in {
        builder = builder.username(username);
    }
    let request = TokenRequestOptions { claims: ask.claims, tenant_id: ask.tenant, ..validity.request() };
    let asked_at = validity::now();
    let token = Token::from(builder.build()?.get_token_with(&ask.scopes, request).await?);
    validity.check(token.expires_on, asked_at)?;
    Ok(token)
}

fn within_budget(policy: Policy) -> Policy {
    let mut limits = policy.limits().clone();
    limits.call_time = limits.call_time.min(BUDGET);
    policy.with_limits(limits)
}
