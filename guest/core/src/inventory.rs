//! The accounts of a cache, for the list that a user reads.

use std::collections::HashMap;

use shared_token_cache_entra::tenant::means_home;

use crate::account_info::{Account, CachedAccount};
use crate::candidate::is_usable;
use crate::document::{AccountEntry, Document};
use crate::options::Configuration;
use crate::types::{Authority, HomeAccountId};

/// All accounts in the document's order. Entries under several host names of the credential's cloud
/// are one account.
pub(crate) fn accounts(
    document: &Document,
    authority: &Authority,
    configuration: &Configuration,
) -> Vec<CachedAccount> {
    let cloud_of = |environment: &str| {
        if authority.has_alias(environment) { None } else { Some(environment.to_ascii_lowercase()) }
    };
    let mut usable: HashMap<&HomeAccountId, u32> = HashMap::new();
    for token in document.refresh_tokens().iter().filter(|token| is_usable(token, authority, configuration)) {
        *usable.entry(&token.home_account_id).or_default() += 1;
    }

    let mut accounts: Vec<CachedAccount> = Vec::new();
    let mut positions: HashMap<(&HomeAccountId, Option<String>), usize> = HashMap::new();
    for entry in document.accounts() {
        let cloud = cloud_of(&entry.environment);
        let position = *positions.entry((&entry.home_account_id, cloud.clone())).or_insert_with(|| {
            let tokens = document.access_tokens_of(&entry.home_account_id).iter();
            let expiries: Vec<u64> =
                tokens.filter(|token| cloud_of(&token.environment) == cloud).map(|token| token.expires_on).collect();
            accounts.push(CachedAccount {
                account: Account {
                    username: String::new(),
                    home_tenant_id: entry.home_account_id.home_tenant().map(str::to_owned),
                },
                environment: entry.environment.to_string(),
                tenants: Vec::new(),
                usable_refresh_tokens: match cloud {
                    None => usable.get(&entry.home_account_id).copied().unwrap_or_default(),
                    Some(_) => 0,
                },
                access_tokens: u32::try_from(expiries.len()).unwrap_or(u32::MAX),
                latest_expiry: expiries.into_iter().max(),
            });
            accounts.len() - 1
        });
        if let Some(account) = accounts.get_mut(position) {
            add(account, entry);
        }
    }
    accounts
}

/// Adds the username and the tenant of an entry. The home tenant's entry has the right username.
fn add(account: &mut CachedAccount, entry: &AccountEntry) {
    let home = entry.home_account_id.home_tenant().is_some_and(|home| home.eq_ignore_ascii_case(&entry.realm));
    if !entry.username.is_empty() && (home || account.account.username.is_empty()) {
        account.account.username = entry.username.to_string();
    }
    // A refresh writes entries under the realm of the request, and `organizations` is not a tenant.
    let tenant = entry.realm.as_ref();
    let is_tenant = !tenant.is_empty() && !means_home(tenant);
    if is_tenant && !account.tenants.iter().any(|known| known.eq_ignore_ascii_case(tenant)) {
        account.tenants.push(tenant.to_owned());
    }
}
