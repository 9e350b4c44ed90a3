use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use shared_token_cache_entra::account::home_tenant;
use shared_token_cache_entra::schema::BROKER;

use crate::credential::{Credential, lives_in};
use crate::facts::Facts;
use crate::index::Field;

/// The account entries of a document by their home account id.
#[derive(Default)]
pub(crate) struct AccountsIndex(HashMap<Box<str>, Vec<AccountEntry>>);

struct AccountEntry {
    environment: Box<str>,
    realm: Box<str>,
    username: Box<str>,
    brokered: bool,
}

impl AccountsIndex {
    pub(crate) fn of<'a>(entries: impl Iterator<Item = Facts<'a>>) -> Self {
        let mut accounts_index: HashMap<Box<str>, Vec<AccountEntry>> = HashMap::new();
        for entry in entries {
            let text = |field| entry.text(field).map(Box::from);
            let (Some(id), Some(environment)) = (text(Field::HomeAccountId), text(Field::Environment)) else {
                continue;
            };
            let (realm, username) = (text(Field::Realm).unwrap_or_default(), text(Field::Username).unwrap_or_default());
            let brokered = text(Field::AccountSource).is_some_and(|source| *source == *BROKER);
            accounts_index.entry(id).or_default().push(AccountEntry { environment, realm, username, brokered });
        }
        Self(accounts_index)
    }

    /// Every home account id with each of its usernames.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(id, entries)| entries.iter().map(|entry| (&**id, &*entry.username)))
    }

    /// Whether the operating system's account broker holds the account's sign-in in a cloud.
    pub(crate) fn is_brokered(&self, home_account_id: &str, in_cloud: impl Fn(&str) -> bool) -> bool {
        let entries = self.0.get(home_account_id).into_iter().flatten();
        entries.filter(|entry| in_cloud(&entry.environment)).any(|entry| entry.brokered)
    }

    /// The username of an account in a cloud, chosen as the component does: from the entry of the
    /// home tenant, else the first. `None` if there is no such account.
    pub(crate) fn username(&self, home_account_id: &str, in_cloud: impl Fn(&str) -> bool) -> Option<&str> {
        let mut found = None;
        for entry in self.0.get(home_account_id)?.iter().filter(|entry| in_cloud(&entry.environment)) {
            let home = home_tenant(home_account_id).is_some_and(|home| home.eq_ignore_ascii_case(&entry.realm));
            let known = found.get_or_insert("");
            if !entry.username.is_empty() && (home || known.is_empty()) {
                *known = &entry.username;
            }
        }
        found
    }
}

/// The account of a document that the credential's options select.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    NoAccount,
    One(Box<str>),
    Several,
}

impl Chosen {
    /// Selects among the accounts with a usable refresh token. A record's account needs none.
    pub(crate) fn among<'a>(
        usable: impl Iterator<Item = Cow<'a, str>>,
        accounts_index: &AccountsIndex,
        credential: &Credential,
    ) -> Self {
        let usable: HashSet<Cow<'a, str>> = usable.collect();
        match Self::of(usable.iter().map(|id| &**id), accounts_index, credential) {
            Self::NoAccount if credential.record.is_some() => {
                Self::of(accounts_index.0.keys().map(|id| &**id), accounts_index, credential)
            }
            chosen => chosen,
        }
    }

    /// Selects among these accounts. The ids are distinct.
    pub(crate) fn of<'a>(
        ids: impl Iterator<Item = &'a str>,
        accounts_index: &AccountsIndex,
        credential: &Credential,
    ) -> Self {
        let in_cloud = |environment: &str| credential.is_cloud(environment);
        let ids: Vec<&str> = ids
            .filter(|id| {
                accounts_index.username(id, in_cloud).is_some_and(|username| {
                    credential.selects(id, username) && credential.policy.check_account(username, id).is_ok()
                })
            })
            .collect();
        // In guest authentication the tenant selects among several accounts.
        let tenant = credential.tenant_id.as_deref().filter(|_| ids.len() > 1 && credential.record.is_none());
        let mut ids = ids.into_iter().filter(|id| tenant.is_none_or(|tenant| lives_in(id, tenant)));
        match (ids.next(), ids.next()) {
            (None, _) => Self::NoAccount,
            (Some(id), None) => Self::One(id.into()),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shared_token_cache_policy::{CacheName, Policy};

    use super::*;
    use crate::credential::Record;

    const HOST: &str = "login.microsoftonline.com";

    /// Accounts with these ids, each with an environment, a realm and a username.
    fn accounts_index(entries: &[(&str, &str, &str, &str)]) -> AccountsIndex {
        let mut accounts_index = AccountsIndex::default();
        for (id, environment, realm, username) in entries {
            let [environment, realm, username] = [environment, realm, username].map(|&text| text.into());
            let entry = AccountEntry { environment, realm, username, brokered: false };
            accounts_index.0.entry((*id).into()).or_default().push(entry);
        }
        accounts_index
    }

    fn credential() -> Credential {
        let policy = Arc::new(Policy::for_current_user(CacheName::default()));
        Credential { authority: HOST.into(), policy, ..Credential::default() }
    }

    #[test]
    fn the_name_of_an_account_is_that_of_its_home_or_else_the_first() {
        for (entries, expected) in [
            (&[("x", "first"), ("y", "second")][..], Some("first")),
            (&[("x", "guest"), ("HOME", "member")], Some("member")),
            (&[("home", "member"), ("x", "guest")], Some("member")),
            (&[("home", ""), ("x", "guest")], Some("guest")),
            (&[("x", "guest"), ("home", "")], Some("guest")),
            (&[("x", ""), ("y", "second"), ("z", "third")], Some("second")),
            (&[("x", "")], Some("")),
            (&[], None),
        ] {
            let entries: Vec<_> = entries.iter().map(|(realm, name)| ("u.home", HOST, *realm, *name)).collect();
            assert_eq!(accounts_index(&entries).username("u.home", |host| host == HOST), expected, "{entries:?}");
        }
        let elsewhere = accounts_index(&[("u.home", "login.microsoftonline.us", "home", "member")]);
        assert_eq!(elsewhere.username("u.home", |host| host == HOST), None, "an account of another cloud");
    }

    #[test]
    fn the_account_of_a_record_needs_no_refresh_token_and_any_other_does() {
        let accounts_index = accounts_index(&[("u.home", HOST, "home", "user0"), ("v.home", HOST, "home", "user1")]);
        let record = |id: &str| Some(Record { home_account_id: id.into(), tenant_id: "t".into() });
        let among = |usable: &[&'static str], credential: &Credential| {
            Chosen::among(usable.iter().map(|&id| Cow::Borrowed(id)), &accounts_index, credential)
        };
        let recorded = Credential { record: record("u.home"), ..credential() };
        assert_eq!(among(&[], &recorded), Chosen::One("u.home".into()));
        assert_eq!(among(&["v.home"], &recorded), Chosen::One("u.home".into()));
        let unknown = Credential { record: record("w.home"), ..credential() };
        assert_eq!(among(&["u.home"], &unknown), Chosen::NoAccount, "no document has the account");
        let named = Credential { username: Some("user0".into()), ..credential() };
        assert_eq!(among(&[], &named), Chosen::NoAccount);
        assert_eq!(among(&["u.home", "u.home"], &named), Chosen::One("u.home".into()));
        assert_eq!(among(&["u.home", "v.home"], &credential()), Chosen::Several);
    }

    #[test]
    fn a_tenant_selects_its_own_accounts_and_in_guest_authentication_only_among_several() {
        let accounts_index = accounts_index(&[
            ("u.home", HOST, "home", "user0"),
            ("v.other", HOST, "other", "user1"),
            ("w.other", HOST, "other", "user2"),
        ]);
        let of = |ids: &[&str], tenant: &str, guest| {
            let credential = Credential {
                tenant_id: Some(tenant.into()),
                enable_guest_tenant_authentication: guest,
                ..credential()
            };
            Chosen::of(ids.iter().copied(), &accounts_index, &credential)
        };
        let one = |id: &str| Chosen::One(id.into());
        for (ids, tenant, guest, expected) in [
            (&["u.home", "v.other"][..], "HOME", false, one("u.home")),
            (&["u.home"], "other", false, Chosen::NoAccount),
            (&["v.other", "w.other"], "other", false, Chosen::Several),
            (&["u.home"], "visited", true, one("u.home")),
            (&["u.home", "v.other"], "home", true, one("u.home")),
            (&["u.home", "v.other"], "visited", true, Chosen::NoAccount),
            (&["v.other", "w.other"], "other", true, Chosen::Several),
            (&["x.home"], "home", true, Chosen::NoAccount),
        ] {
            assert_eq!(of(ids, tenant, guest), expected, "{ids:?} {tenant} {guest}");
        }
    }
}
