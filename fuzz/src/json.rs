//! Objects as lists of members, with repeated ones and raw values.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in their order.
pub type Members = Vec<(String, String)>;

/// The members of `object`; `None` if it is not an object.
#[must_use]
pub fn members(object: &str) -> Option<Members> {
    let mut deserializer = serde_json::Deserializer::from_str(object);
    let members = deserializer.deserialize_map(List).ok()?;
    deserializer.end().ok()?;
    Some(members)
}

/// The entries of a section of a document. A section that is missing or not an object has none; of
/// two, the last counts.
#[must_use]
pub fn entries(document: &str, section: &str) -> Members {
    let sections = members(document).unwrap_or_default();
    let section = sections.iter().rev().find(|(name, _)| name == section);
    section.and_then(|(_, entries)| members(entries)).unwrap_or_default()
}

/// A member of `object` that is a non-empty text.
#[must_use]
pub fn text(object: &str, name: &str) -> Option<String> {
    let text: String = serde_json::from_str(&value(object, name)?).ok()?;
    Some(text).filter(|text| !text.is_empty())
}

/// Whether a member of `object` in seconds, as a number or as text, is below `now`.
#[must_use]
pub fn is_in_the_past(object: &str, name: &str, now: u64) -> bool {
    let seconds = text(object, name).or_else(|| value(object, name)).and_then(|text| text.trim().parse::<f64>().ok());
    seconds.is_some_and(|seconds| seconds < now as f64)
}

fn value(object: &str, name: &str) -> Option<String> {
    let members = members(object)?;
    members.into_iter().rev().find(|(member, _)| member == name).map(|(_, value)| value)
}

struct List;

impl<'de> Visitor<'de> for List {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::new();
        while let Some(name) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            members.push((name, value.get().to_owned()));
        }
        Ok(members)
    }
}
