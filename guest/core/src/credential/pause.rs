use std::collections::HashMap;

use crate::tenant::RequestTenant;
use crate::types::{HomeAccountId, Scopes};

/// How long a token that could be renewed, but is still good, is handed out after a try to renew it.
const PAUSE_SECONDS: u64 = 30;

/// More entries than this are not worth keeping: all of them have probably run out.
const MOST_ENTRIES: usize = 256;

/// When each token was last tried to be renewed ahead of its expiry, so that an authority in trouble is not asked on every call.
#[derive(Debug, Default)]
pub(super) struct Pauses(HashMap<(HomeAccountId, String, String), u64>);

impl Pauses {
    /// Whether to try now; if so, the pause begins.
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

    /// Whether a pause has begun and is not over.
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
    fn a_try_is_followed_by_thirty_seconds_of_rest() {
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
