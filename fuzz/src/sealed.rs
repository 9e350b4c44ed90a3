//! An oracle that reads JSON in another way than the vault does.

use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use shared_token_cache_vault::contains_handle;

/// Whether every member with a secret's name contains a handle or nothing. `None` if the oracle
/// can't decide: `serde_json` parses at most 128 levels.
#[must_use]
pub fn is_sealed(text: &str) -> Option<bool> {
    let mut sealed = true;
    let mut deserializer = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
    deserializer.deserialize_any(Walk { depth: 0, sealed: &mut sealed }).ok()?;
    Some(sealed)
}

struct Walk<'a> {
    depth: usize,
    sealed: &'a mut bool,
}

impl<'a> Walk<'a> {
    fn value(&mut self, name: Option<&str>, raw: &'a RawValue) -> Option<()> {
        let text = raw.get();
        let named = name.is_some_and(|name| {
            ["secret", "access_token", "refresh_token", "id_token"]
                .iter()
                .any(|secret| name.eq_ignore_ascii_case(secret))
        });
        if named && (!text.starts_with('{') || self.depth >= 3) {
            let nothing = ["\"\"", "null", "true", "false"].contains(&text);
            let handle = contains_handle(text) && text.len() < 48;
            *self.sealed &= nothing || handle;
            return Some(());
        }
        if text.starts_with(['{', '[']) {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            let walk = Walk { depth: self.depth, sealed: self.sealed };
            deserializer.deserialize_any(walk).ok()?;
        }
        Some(())
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Walk<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.depth += 1;
        while let Some(key) = map.next_key::<String>()? {
            let raw: &RawValue = map.next_value()?;
            self.value(Some(&key), raw).ok_or_else(|| serde::de::Error::custom("too deep"))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        self.depth += 1;
        while let Some(raw) = elements.next_element::<&RawValue>()? {
            self.value(None, raw).ok_or_else(|| serde::de::Error::custom("too deep"))?;
        }
        Ok(())
    }
}
