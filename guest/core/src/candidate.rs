use crate::account_info::Account;
use crate::document::{AccountEntry, Document, RefreshTokenEntry};
use crate::options::Configuration;
use crate::tenant;
use crate::text::quoted;
use crate::types::{Authority, HomeAccountId};

/// An account with a refresh token that this credential may use. Entries of several realms make one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) home_account_id: HomeAccountId,
    pub(crate) username: String,
}

/// More accounts than this are not described in a message.
pub(crate) const MOST_LISTED: usize = 5;

impl Candidate {
    /// Takes the username of an entry. A refresh writes entries without one, which must not hide that of a sign-in; the entry of
    /// the home tenant has the right one.
    pub(crate) fn learn_name(&mut self, entry: &AccountEntry) {
        let home = self.home_account_id.home_tenant().is_some_and(|home| home.eq_ignore_ascii_case(&entry.realm));
        if !entry.username.is_empty() && (home || self.username.is_empty()) {
            self.username = entry.username.to_string();
        }
    }

    /// Where the account lives, and the other tenants that the cache knows it in.
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

/// Whether this credential may redeem a refresh token: it is of its client, or of a family of clients that share theirs.
///
/// Before January 2026 every sign-in of the Azure CLI's client came with a family; since then its own client id has to do.
pub(crate) fn is_usable(token: &RefreshTokenEntry, authority: &Authority, configuration: &Configuration) -> bool {
    authority.has_alias(&token.environment)
        && (token.family_id.is_some() || configuration.client_id.is(&token.client_id))
}
