use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::call::Credential;
use crate::document::Facts;
use crate::home::is_adfs;
use crate::index::Field;

/// The account entries of a document by their home account id.
#[derive(Default)]
pub(crate) struct People(HashMap<Box<str>, Vec<Person>>);

struct Person {
    environment: Box<str>,
    realm: Box<str>,
    username: Box<str>,
    brokered: bool,
}

impl People {
    pub(crate) fn of<'a>(entries: impl Iterator<Item = Facts<'a>>) -> Self {
        let mut people: HashMap<Box<str>, Vec<Person>> = HashMap::new();
        for entry in entries {
            let text = |field| entry.text(field).map(Box::from);
            let (Some(id), Some(environment)) = (text(Field::HomeAccountId), text(Field::Environment)) else {
                continue;
            };
            let (realm, username) = (text(Field::Realm).unwrap_or_default(), text(Field::Username).unwrap_or_default());
            let brokered = text(Field::AccountSource).is_some_and(|source| *source == *"broker");
            people.entry(id).or_default().push(Person { environment, realm, username, brokered });
        }
        Self(people)
    }

    /// Every home account id with each username that it has.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(id, persons)| persons.iter().map(|person| (&**id, &*person.username)))
    }

    /// Whether the operating system's account broker holds the account's sign-in in a cloud.
    pub(crate) fn is_brokered(&self, home_account_id: &str, in_cloud: impl Fn(&str) -> bool) -> bool {
        let persons = self.0.get(home_account_id).into_iter().flatten();
        persons.filter(|person| in_cloud(&person.environment)).any(|person| person.brokered)
    }

    /// The username of an account in a cloud, as the guest finds it: that of the entry of the home tenant, else the first.
    /// `None` when there is no such account.
    pub(crate) fn username(&self, home_account_id: &str, in_cloud: impl Fn(&str) -> bool) -> Option<&str> {
        let mut found = None;
        for person in self.0.get(home_account_id)?.iter().filter(|person| in_cloud(&person.environment)) {
            let home = home_tenant(home_account_id).is_some_and(|home| home.eq_ignore_ascii_case(&person.realm));
            let known = found.get_or_insert("");
            if !person.username.is_empty() && (home || known.is_empty()) {
                *known = &person.username;
            }
        }
        found
    }
}

/// Whom the credential's options leave of the accounts of a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    Nobody,
    One(Box<str>),
    Several,
}

impl Chosen {
    /// Among the accounts with a usable refresh token. The account of a record needs none.
    pub(crate) fn among<'a>(
        usable: impl Iterator<Item = Cow<'a, str>>,
        people: &People,
        credential: &Credential,
    ) -> Self {
        let usable: HashSet<Cow<'a, str>> = usable.collect();
        match Self::of(usable.iter().map(|id| &**id), people, credential) {
            Self::Nobody if credential.record.is_some() => {
                Self::of(people.0.keys().map(|id| &**id), people, credential)
            }
            chosen => chosen,
        }
    }

    /// Among these accounts, each of them once.
    pub(crate) fn of<'a>(ids: impl Iterator<Item = &'a str>, people: &People, credential: &Credential) -> Self {
        let in_cloud = |environment: &str| credential.is_cloud(environment);
        let ids: Vec<&str> = ids
            .filter(|id| {
                people.username(id, in_cloud).is_some_and(|username| {
                    credential.selects(id, username) && credential.policy.check_account(username, id).is_ok()
                })
            })
            .collect();
        // As a guest the tenant tells several accounts apart.
        let tenant = credential.tenant_id.as_deref().filter(|_| ids.len() > 1 && credential.record.is_none());
        let mut ids = ids.into_iter().filter(|id| tenant.is_none_or(|tenant| lives_in(id, tenant)));
        match (ids.next(), ids.next()) {
            (None, _) => Self::Nobody,
            (Some(id), None) => Self::One(id.into()),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// Whether the account's home is the tenant. AD FS has no tenants, so the id of an account there names none.
pub(crate) fn lives_in(home_account_id: &str, tenant: &str) -> bool {
    match home_tenant(home_account_id) {
        Some(home) => home.eq_ignore_ascii_case(tenant),
        None => is_adfs(tenant),
    }
}

/// The tenant in `uid.utid`, where the id has exactly one dot.
pub(crate) fn home_tenant(home_account_id: &str) -> Option<&str> {
    home_account_id.split_once('.').map(|(_, utid)| utid).filter(|utid| !utid.contains('.'))
}
