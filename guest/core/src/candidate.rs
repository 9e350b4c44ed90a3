use crate::account_info::Account;
use crate::document::{AccountEntry, Document, RefreshTokenEntry};
use crate::options::Configuration;
use crate::tenant;
use crate::text::quoted;
use crate::types::{Authority, HomeAccountId};

/// An account with a refresh token that this credential may use. Its entries of several realms are
/// merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) home_account_id: HomeAccountId,
    pub(crate) username: String,
}

/// Messages describe at most this many accounts.
pub(crate) const MOST_LISTED: usize = 5;

impl Candidate {
    /// Takes the username of an entry. Entries written by a refresh have none, so an empty name
    /// never replaces another; the home tenant's entry has the right name.
    pub(crate) fn learn_name(&mut self, entry: &AccountEntry) {
        let home = self.home_account_id.home_tenant().is_some_and(|home| home.eq_ignore_ascii_case(&entry.realm));
        if !entry.username.is_empty() && (home || self.username.is_empty()) {
            self.username = entry.username.to_string();
        }
    }

    /// The home tenant of the account, and its other tenants in the cache, for a message.
    pub(crate) fn whereabouts(&self, document: &Document, authority: &Authority) -> String {
        let name = quoted(&self.username);
        let Some(home) = self.home_account_id.home_tenant() else {
            return format!("{name} has an id that names no tenant");
        };
        let visited = tenant::visited(&self.home_account_id, document, authority);
        let visited: Vec<_> = visited.into_iter().take(MOST_LISTED).collect();
        let guest = if visited.is_empty() { "" } else { " and is a guest in " };
        format!("{name} lives in {}{guest}{}", quoted(home), visited.join(", "))
    }

    pub(crate) fn to_account(&self) -> Account {
        Account {
            username: self.username.clone(),
            home_tenant_id: self.home_account_id.home_tenant().map(str::to_owned),
        }
    }
}

/// Whether this credential may redeem a refresh token: it is of its client, or of a family of
/// clients that share theirs.
///
/// Sign-ins with the Azure CLI's client had a family until January 2026. Later ones have none and
/// are matched by client id.
pub(crate) fn is_usable(token: &RefreshTokenEntry, authority: &Authority, configuration: &Configuration) -> bool {
    authority.has_alias(&token.environment)
        && (token.family_id.is_some() || configuration.client_id.is(&token.client_id))
}
