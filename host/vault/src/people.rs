use std::collections::HashMap;

use crate::document::Facts;
use crate::index::Field;

/// The account entries of a document by their home account id.
#[derive(Default)]
pub(crate) struct People(HashMap<Box<str>, Vec<Person>>);

struct Person {
    environment: Box<str>,
    realm: Box<str>,
    username: Box<str>,
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
            people.entry(id).or_default().push(Person { environment, realm, username });
        }
        Self(people)
    }

    /// Every home account id with each username that it has.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(id, persons)| persons.iter().map(|person| (&**id, &*person.username)))
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

/// The tenant in `uid.utid`, where the id has exactly one dot.
pub(crate) fn home_tenant(home_account_id: &str) -> Option<&str> {
    home_account_id.split_once('.').map(|(_, utid)| utid).filter(|utid| !utid.contains('.'))
}
