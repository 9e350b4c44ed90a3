//! The name under which an account's home tenant is requested. `guest/core/src/tenant.rs` chooses
//! it in the same way.

use shared_token_cache_entra::account::home_tenant;
use shared_token_cache_entra::cloud;
use shared_token_cache_entra::schema::Section;
use shared_token_cache_entra::tenant::{ORGANIZATIONS, PERSONAL, is_name, means_home};

use crate::call::Call;
use crate::index::Field;
use crate::session::Session;

impl Session {
    /// The name of the account's home tenant in requests: the tenant's id at an authority of
    /// customers (CIAM); for a personal account, the only tenant that it has tokens of; otherwise
    /// `organizations`.
    pub(crate) fn home_name(&self, call: &Call, home_account_id: &str) -> String {
        let home = home_tenant(home_account_id);
        let name = match home {
            Some(home) if cloud::is_of_customers(cloud::host_of(&self.vault.credential().authority)) => {
                is_name(home).then(|| home.to_owned())
            }
            Some(home) if home.eq_ignore_ascii_case(PERSONAL) => self.only_visited(call, home_account_id),
            _ => None,
        };
        name.unwrap_or_else(|| ORGANIZATIONS.to_owned())
    }

    /// The only tenant of the account's tokens. Expired tokens count only if there are no others.
    fn only_visited(&self, call: &Call, home_account_id: &str) -> Option<String> {
        let mut tokens = self.tokens_of(call, home_account_id);
        if tokens.iter().any(|(_, expires_on)| *expires_on > call.now) {
            tokens.retain(|(_, expires_on)| *expires_on > call.now);
        }
        let mut tenants = tokens.into_iter().map(|(realm, _)| realm);
        let first = tenants.next()?;
        tenants.all(|tenant| tenant.eq_ignore_ascii_case(&first)).then_some(first)
    }

    /// The tenants of the account's tokens, except its home, with the expiry of each token.
    fn tokens_of(&self, call: &Call, home_account_id: &str) -> Vec<(String, u64)> {
        let document = self.document(&call.document);
        let cached = document.into_iter().flat_map(|document| {
            document.tokens().filter_map(|facts| {
                let text = |field| facts.text(field);
                let mine = facts.section() == Section::AccessToken
                    && text(Field::HomeAccountId).is_some_and(|id| id == home_account_id)
                    && text(Field::Environment).is_some_and(|host| self.vault.credential().is_cloud(&host))
                    && text(Field::Target).is_some();
                let expires_on = facts.seconds(Field::ExpiresOn).filter(|_| mine)?;
                Some((text(Field::Realm).unwrap_or_default().into_owned(), expires_on))
            })
        });
        // A component without write access keeps the replies of earlier calls in its memory.
        let answered = self
            .replies()
            .filter(|reply| *reply.document == *call.document && reply.holder.home_account_id == home_account_id)
            .filter_map(|reply| Some((reply.tenant.clone(), reply.expires_on?)));
        cached.chain(answered).filter(|(realm, _)| is_visited(realm, home_account_id)).collect()
    }
}

fn is_visited(realm: &str, home_account_id: &str) -> bool {
    let is_home =
        means_home(realm) || home_tenant(home_account_id).is_some_and(|home| home.eq_ignore_ascii_case(realm));
    !is_home && is_name(realm)
}
