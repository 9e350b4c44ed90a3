//! Under which name an account's own tenant is asked. `guest/core/src/tenant.rs` chooses it in the same way.

use crate::call::Call;
use crate::clouds;
use crate::index::{Field, Section};
use crate::people::home_tenant;
use crate::session::Session;

/// The tenant that stands for every work or school account's own.
pub(crate) const ORGANIZATIONS: &str = "organizations";

/// The tenant in which personal accounts live, which serves no resource of Azure.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The name under which AD FS answers. It has no tenants.
pub(crate) const ADFS: &str = "adfs";

/// Whether a tenant's name is that of AD FS.
pub(crate) fn is_adfs(name: &str) -> bool {
    name.eq_ignore_ascii_case(ADFS)
}

impl Session {
    /// The name of the account's own tenant for a call: the home's id at an authority of customers (CIAM), the only tenant that a
    /// personal account has tokens of, and `organizations` for all others.
    pub(crate) fn home_name(&self, call: &Call, home_account_id: &str) -> String {
        let home = home_tenant(home_account_id);
        let name = match home {
            Some(home) if is_of_customers(&self.vault.credential().authority) => {
                is_tenant(home).then(|| home.to_owned())
            }
            Some(home) if home.eq_ignore_ascii_case(PERSONAL) => self.only_visited(call, home_account_id),
            _ => None,
        };
        name.unwrap_or_else(|| ORGANIZATIONS.to_owned())
    }

    /// The only tenant that the account's tokens are of: those that still live decide, and all of them where none does.
    fn only_visited(&self, call: &Call, home_account_id: &str) -> Option<String> {
        let mut tokens = self.tokens_of(call, home_account_id);
        if tokens.iter().any(|(_, expires_on)| *expires_on > call.now) {
            tokens.retain(|(_, expires_on)| *expires_on > call.now);
        }
        let mut tenants = tokens.into_iter().map(|(realm, _)| realm);
        let first = tenants.next()?;
        tenants.all(|tenant| tenant.eq_ignore_ascii_case(&first)).then_some(first)
    }

    /// The tenants, other than its home, of the account's tokens, with the expiry of each token.
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
        // A guest that may not write has the answers of earlier calls in its memory.
        let answered = self
            .replies()
            .filter(|reply| *reply.document == *call.document && reply.holder.home_account_id == home_account_id)
            .filter_map(|reply| Some((reply.tenant.clone(), reply.expires_on?)));
        cached.chain(answered).filter(|(realm, _)| is_visited(realm, home_account_id)).collect()
    }
}

fn is_of_customers(authority: &str) -> bool {
    clouds::host(authority).to_ascii_lowercase().ends_with(".ciamlogin.com")
}

fn is_visited(realm: &str, home_account_id: &str) -> bool {
    let own = [ORGANIZATIONS, "common", "consumers"].into_iter().chain(home_tenant(home_account_id));
    !own.into_iter().any(|name| name.eq_ignore_ascii_case(realm)) && is_tenant(realm)
}

/// Whether a text can be a tenant's segment of a URL.
fn is_tenant(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}
