//! What must not be said: the secrets and account ids of a case.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Case, ScriptedReply};

/// Fields that hold a secret, in a cache entry or in a token response.
const FIELDS: [&str; 4] = ["secret", "refresh_token", "access_token", "id_token"];

/// The field that tells who the user is.
const ACCOUNT: &str = "home_account_id";

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
        let mut found = self.secrets();
        for text in self.texts() {
            collect(&parsed(&text), &[ACCOUNT], &mut found);
            found.extend(marked(&text));
        }
        found.retain(|text| text.len() >= SHORTEST);
        Unspoken(found)
    }

    /// Every secret in the documents and in the traffic: what it is, and how it is spelled in JSON.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for text in self.texts() {
            collect(&parsed(&text), &FIELDS, &mut found);
            for literal in FIELDS.iter().flat_map(|field| literals(&text, field)) {
                // Of two members of one name a parser shows only one.
                found.extend(serde_json::from_str::<String>(&format!("\"{literal}\"")));
                found.insert(literal.to_owned());
            }
            // In a document that does not parse, nobody knows what is a secret.
            if parsed(&text).is_null() {
                found.extend(marked(&text));
            }
        }
        found.retain(|text| text.len() >= SHORTEST);
        found
    }

    /// The access tokens in the documents and in the traffic.
    #[must_use]
    pub fn access_tokens(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for document in self.texts().iter().map(|text| parsed(text)) {
            collect(&document, &["access_token"], &mut found);
            if let Some(section) = document.get("AccessToken") {
                collect(section, &["secret"], &mut found);
            }
        }
        found
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

fn parsed(text: &str) -> Value {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default()
}

/// The values of all members of these names, and of arrays in their place.
fn collect(value: &Value, fields: &[&str], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if fields.iter().any(|field| field.eq_ignore_ascii_case(name)) {
                    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                    found.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                collect(value, fields, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, fields, found)),
        _ => {}
    }
}

/// What looks like a secret of a case, wherever it stands.
fn marked(text: &str) -> Vec<String> {
    let starts = SECRET_PREFIXES.iter().flat_map(|prefix| text.match_indices(prefix));
    starts.filter_map(|(at, _)| text.get(at + 1..)?.split('"').next()).map(str::to_owned).collect()
}

/// The strings behind a member's name, as they are written, wherever in a text: it need not parse.
fn literals<'a>(text: &'a str, field: &str) -> impl Iterator<Item = &'a str> {
    let name = format!("\"{field}\"");
    let starts: Vec<_> = text.match_indices(&name).map(|(at, name)| at + name.len()).collect();
    starts.into_iter().filter_map(|at| {
        let value = text.get(at..)?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        let mut escaped = false;
        let end = value.find(|character| {
            let ends = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            ends
        });
        value.get(..end?)
    })
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
        let twice = unspoken(
            r#"{"RefreshToken": {"x": {"secret": "one\/rt", "secret" : "two\"rt"}}, "y": [{"Secret": ["three"]}]}"#,
        );
        for secret in ["one/rt", r"one\/rt", "two\"rt", r#"two\"rt"#, "three"] {
            assert_eq!(twice.leaks(secret).len(), 1, "{secret}");
        }
        let torn = unspoken(r#"{"RefreshToken": {"x": {"secret": "rt-torn"#);
        assert_eq!(torn.leaks("rt-torn").len(), 1);
    }
}
