//! What must not be said: the secrets and account ids of a case.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Case, ScriptedReply};

/// Fields that hold a secret, in a cache entry or in a token response, and the one that tells who the user is.
const FIELDS: [&str; 5] = ["secret", "refresh_token", "access_token", "id_token", "home_account_id"];

/// How secrets begin in all cases, for documents that do not parse.
const SECRET_PREFIXES: [&str; 3] = ["\"at-", "\"rt-", "\"idt-"];

/// Shorter ones could stand in an innocent text by chance.
const SHORTEST: usize = 5;

/// What must not be said about a case.
#[derive(Debug)]
pub struct Unspoken(BTreeSet<String>);

impl Unspoken {
    /// Problems of `text`, which leaves the credential in a log or an error.
    #[must_use]
    pub fn leaks(&self, text: &str) -> Vec<String> {
        let found = self.0.iter().filter(|unspoken| text.contains(unspoken.as_str()));
        found.map(|unspoken| format!("{unspoken:?} stands in {text:?}")).collect()
    }
}

impl Case {
    /// Every token and every home account id in the documents and in the traffic.
    #[must_use]
    pub fn unspoken(&self) -> Unspoken {
        let mut found = BTreeSet::new();
        for text in self.texts() {
            if let Ok(value) = serde_json::from_str(text.trim_start_matches('\u{feff}')) {
                collect(&value, &mut found);
            }
            for prefix in SECRET_PREFIXES {
                let quoted = text.match_indices(prefix).filter_map(|(at, _)| text.get(at + 1..)?.split('"').next());
                found.extend(quoted.map(str::to_owned));
            }
        }
        found.retain(|text| text.len() >= SHORTEST);
        Unspoken(found)
    }

    /// All documents and bodies.
    fn texts(&self) -> Vec<String> {
        let replaced = self.calls.iter().flat_map(|call| call.replaced_before.values());
        let bodies = self.traffic.iter().filter_map(|exchange| match &exchange.reply {
            ScriptedReply::Response { body, .. } => Some(body),
            ScriptedReply::Unreachable => None,
        });
        let all = self.before.values().chain(self.after.values()).chain(replaced).chain(bodies);
        all.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if FIELDS.contains(&name.as_str()) => {
                        found.insert(text.clone());
                    }
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Documents, Options, Settings};

    fn unspoken(document: &str) -> Unspoken {
        let case = Case {
            name: String::new(),
            about: String::new(),
            options: Options::default(),
            settings: Settings::default(),
            before: Documents::from([("msal.cache.nocae".into(), document.into())]),
            after: Documents::new(),
            calls: Vec::new(),
            traffic: Vec::new(),
        };
        case.unspoken()
    }

    #[test]
    fn secrets_are_found_by_field_and_in_what_does_not_parse_by_prefix() {
        let whole = unspoken(r#"{"RefreshToken": {"x": {"secret": "hunter2", "home_account_id": "uid.utid"}}}"#);
        assert_eq!(whole.leaks("all is well"), Vec::<String>::new());
        assert_eq!(whole.leaks("hunter2 of uid.utid").len(), 2);
        let torn = unspoken(r#"{"RefreshToken": {"x": {"secret": "rt-torn"#);
        assert_eq!(torn.leaks("rt-torn").len(), 1);
    }
}
