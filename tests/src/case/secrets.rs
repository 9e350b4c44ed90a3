//! Secrets and account ids of a case, which no output may contain.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Case, ScriptedReply};

/// Fields that hold a secret, in a cache entry or in a token response.
const FIELDS: [&str; 4] = ["secret", "refresh_token", "access_token", "id_token"];

/// The field that identifies the user.
const ACCOUNT: &str = "home_account_id";

/// The prefixes of secrets in all cases, for documents that do not parse.
const SECRET_PREFIXES: [&str; 3] = ["\"at-", "\"rt-", "\"idt-"];

/// Shorter secrets could occur in an innocent text by chance.
const SHORTEST: usize = 5;

/// The texts of a case that no output may contain.
#[derive(Debug)]
pub struct Unspoken(BTreeSet<String>);

impl Unspoken {
    /// The secrets in `text`, which leaves the credential in a log or an error.
    #[must_use]
    pub fn leaks(&self, text: &str) -> Vec<String> {
        let found = self.0.iter().filter(|unspoken| text.contains(unspoken.as_str()));
        found.map(|unspoken| format!("{unspoken:?} is in {text:?}")).collect()
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

    /// Every secret in the documents and in the traffic: a description, and its spelling in JSON.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for text in self.texts() {
            collect(&parsed(&text), &FIELDS, &mut found);
            for literal in FIELDS.iter().flat_map(|field| literals(&text, field)) {
                // A parser returns one of two members with the same name.
                found.extend(serde_json::from_str::<String>(&format!("\"{literal}\"")));
                found.insert(literal.to_owned());
            }
            // In a document that does not parse, secrets are found by prefix.
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

/// The values of all members with these names, and of arrays as such values.
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

/// All texts that look like a secret of a case, anywhere.
fn marked(text: &str) -> Vec<String> {
    let starts = SECRET_PREFIXES.iter().flat_map(|prefix| text.match_indices(prefix));
    starts.filter_map(|(at, _)| text.get(at + 1..)?.split('"').next()).map(str::to_owned).collect()
}

/// The raw strings behind a member's name, anywhere in a text, which need not parse.
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
