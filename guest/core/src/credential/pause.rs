use std::collections::HashMap;

use crate::tenant::RequestTenant;
use crate::types::{HomeAccountId, Scopes};

/// The least number of seconds between two renewals of a token that is still valid.
const PAUSE_SECONDS: u64 = 30;

/// The map is cleared at this size: most of its pauses have expired.
const MOST_ENTRIES: usize = 256;

/// The time of each token's last renewal ahead of its expiry. A failing authority is then not asked
/// on every call.
#[derive(Debug, Default)]
pub(super) struct Pauses(HashMap<(HomeAccountId, String, String), u64>);

impl Pauses {
    /// Whether to renew now; if so, starts the pause.
    pub(super) fn may_try(
        &mut self,
        account: &HomeAccountId,
        scopes: &Scopes,
        tenant: &RequestTenant,
        now: u64,
    ) -> bool {
        if self.holds(account, scopes, tenant, now) {
            return false;
        }
        if self.0.len() >= MOST_ENTRIES {
            self.0.clear();
        }
        self.0.insert(key(account, scopes, tenant), now);
        true
    }

    /// Whether a pause is running.
    pub(super) fn holds(&self, account: &HomeAccountId, scopes: &Scopes, tenant: &RequestTenant, now: u64) -> bool {
        let tried = self.0.get(&key(account, scopes, tenant));
        tried.is_some_and(|tried| (*tried..tried.saturating_add(PAUSE_SECONDS)).contains(&now))
    }
}

fn key(account: &HomeAccountId, scopes: &Scopes, tenant: &RequestTenant) -> (HomeAccountId, String, String) {
    (account.clone(), scopes.as_set(), tenant.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_is_followed_by_a_pause_of_thirty_seconds() {
        let mut pauses = Pauses::default();
        let account = HomeAccountId::new("uid.utid").unwrap();
        let (a, b) = (Scopes::parse(&["a".into()]).unwrap(), Scopes::parse(&["b".into()]).unwrap());
        let home = RequestTenant::home();
        for (scopes, now, expected) in
            [(&a, 100, true), (&a, 129, false), (&b, 129, true), (&a, 130, true), (&a, 131, false), (&a, 50, true)]
        {
            assert_eq!(pauses.may_try(&account, scopes, &home, now), expected, "{scopes:?} at {now}");
        }
    }
}
