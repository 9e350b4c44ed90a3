//! A credential for a profile of a policy.

use super::{Builder, SharedTokenCacheCredential};
use crate::options::{CachePersistenceOptions, TokenRequestOptions};
use shared_token_cache_policy::{Policy, Profile};

impl SharedTokenCacheCredential {
    /// Options for a credential that serves one profile: its source, account, application,
    /// authority and cache, under the policy narrowed to that.
    #[must_use]
    pub fn builder_for(policy: &Policy, profile: &Profile) -> Builder {
        let mut builder = Self::builder().policy(policy.narrowed_to(profile)).sources([profile.source().clone()]);
        builder = builder.agent_session(profile.agent_session());
        if let Some(account) = profile.account() {
            builder = builder.username(account);
        }
        if let Some(authority) = profile.authority() {
            builder = builder.authority(authority.to_string());
        }
        if let Some(client_id) = profile.client_id() {
            builder = builder.client_id(client_id);
        }
        if let Some(name) = profile.cache_name() {
            // A cache that is named may be unencrypted, like the default one.
            let (name, allow_unencrypted_storage) = (Some(name.to_string()), true);
            builder = builder.cache_persistence_options(CachePersistenceOptions { name, allow_unencrypted_storage });
        }
        builder
    }
}

impl From<&Profile> for TokenRequestOptions {
    /// The options of calls for the profile's token.
    fn from(profile: &Profile) -> Self {
        Self { tenant_id: profile.tenant().map(str::to_owned), ..Self::default() }
    }
}
