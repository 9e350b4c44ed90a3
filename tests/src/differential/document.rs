//! Cache documents that keep their order: azure-identity's choices depend on it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// A cache document.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Document {
    /// The sections.
    pub(crate) sections: Vec<(String, Section)>,
}

/// A section of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Section {
    /// A section's value: entries by key.
    Entries(Vec<(String, Value)>),
    /// A value of another type.
    Other(Value),
}

impl Document {
    /// Parses a document; `None` when it is not a JSON object.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let sections: Ordered<OneOf> = serde_json::from_str(text).ok()?;
        let sections = sections.0.into_iter().map(|(name, section)| (name, section.0)).collect();
        Some(Self { sections })
    }

    /// The document as text.
    pub(crate) fn text(&self) -> String {
        let sections = self.sections.iter().map(|(name, section)| match section {
            Section::Entries(entries) => {
                member(name, &object(entries.iter().map(|(key, entry)| member(key, &entry.to_string()))))
            }
            Section::Other(value) => member(name, &value.to_string()),
        });
        object(sections)
    }

    /// The entries of a section, in order. A missing section, or one of another type, has none.
    pub(crate) fn entries(&self, name: &str) -> &[(String, Value)] {
        let section = self.sections.iter().find(|(other, _)| other == name);
        match section {
            Some((_, Section::Entries(entries))) => entries,
            _ => &[],
        }
    }

    /// The entries of a section, mutable, if it exists.
    pub(crate) fn entries_mut(&mut self, name: &str) -> Option<&mut Vec<(String, Value)>> {
        let section = self.sections.iter_mut().find(|(other, _)| other == name);
        match section {
            Some((_, Section::Entries(entries))) => Some(entries),
            _ => None,
        }
    }

    /// Calls `each` for the fields of every entry of a section.
    pub(crate) fn each(&mut self, name: &str, mut each: impl FnMut(&mut Map<String, Value>)) {
        for (_, entry) in self.entries_mut(name).into_iter().flatten() {
            entry.as_object_mut().into_iter().for_each(&mut each);
        }
    }

    /// Keeps the entries of a section for which `keep` is true.
    pub(crate) fn retain(&mut self, name: &str, mut keep: impl FnMut(&Value) -> bool) {
        if let Some(entries) = self.entries_mut(name) {
            entries.retain(|(_, entry)| keep(entry));
        }
    }

    /// Adds an entry.
    pub(crate) fn push(&mut self, name: &str, key: String, entry: Value) {
        if self.entries_mut(name).is_none() {
            self.sections.push((name.to_owned(), Section::Entries(Vec::new())));
        }
        self.entries_mut(name).into_iter().for_each(|entries| entries.push((key.clone(), entry.clone())));
    }
}

/// The value of a string field.
pub(crate) fn text<'a>(entry: &'a Value, field: &str) -> Option<&'a str> {
    entry.get(field).and_then(Value::as_str)
}

/// The value of a string field; the empty string if it is missing.
pub(crate) fn text_of<'a>(entry: &'a Value, field: &str) -> &'a str {
    text(entry, field).unwrap_or_default()
}

/// A field in seconds: a whole number, or a string with a number, whose fraction is cut off.
pub(crate) fn seconds(entry: &Value, field: &str) -> Option<u64> {
    let shown = match entry.get(field)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (whole, fraction) = shown.trim().split_once('.').unwrap_or((shown.trim(), "0"));
    fraction.bytes().all(|byte| byte.is_ascii_digit()).then(|| whole.parse().ok()).flatten()
}

/// MSAL's key of an entry. Entries of sections unknown to MSAL keep their keys.
pub(crate) fn key_of(section: &str, key: &str, entry: &Value) -> String {
    if !entry.is_object() {
        return key.to_owned();
    }
    let [home, environment, client, realm, target] =
        ["home_account_id", "environment", "client_id", "realm", "target"].map(|field| text_of(entry, field));
    match section {
        "AccessToken" => match text_of(entry, "ext_cache_key") {
            "" => format!("{home}-{environment}-accesstoken-{client}-{realm}-{target}").to_lowercase(),
            extra => format!("{home}-{environment}-atext-{client}-{realm}-{target}-{extra}").to_lowercase(),
        },
        "RefreshToken" => format!("{home}-{environment}-refreshtoken-{client}--{target}").to_lowercase(),
        "IdToken" => format!("{home}-{environment}-idtoken-{client}-{realm}-").to_lowercase(),
        "Account" => format!("{home}-{environment}-{realm}").to_lowercase(),
        "AppMetadata" => format!("appmetadata-{environment}-{client}"),
        _ => key.to_owned(),
    }
}

fn member(name: &str, value: &str) -> String {
    format!("{}: {value}", Value::from(name))
}

fn object(members: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

/// The members of a JSON object, in order.
struct Ordered<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Vec<(String, T)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members(std::marker::PhantomData)).map(Ordered)
    }
}

struct OneOf(Section);

impl<'de> Deserialize<'de> for OneOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        let entries: Result<Ordered<Value>, _> = serde_json::from_str(raw.get());
        match entries {
            Ok(entries) => Ok(Self(Section::Entries(entries.0))),
            Err(_) => serde_json::from_str(raw.get())
                .map(|value| Self(Section::Other(value)))
                .map_err(serde::de::Error::custom),
        }
    }
}
