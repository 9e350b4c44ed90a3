//! The differences that a written document may have, computed independently of the vault.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::cache::NOW;

type Members = Vec<(String, String)>;

/// The first forbidden difference of a document that the vault allowed.
pub(crate) fn objection(before: &str, after: &str) -> Option<String> {
    if after.len() > before.len() + 8_192 {
        return Some("it has grown".into());
    }
    let (Some(before), Some(after)) = (members(before), members(after)) else { return Some("it is no object".into()) };
    let written = ["AccessToken", "RefreshToken", "IdToken", "AppMetadata"];
    let others = |members: &Members| -> Members {
        members.iter().filter(|(name, _)| !written.contains(&name.as_str())).cloned().collect()
    };
    if has_repeated(&after) || others(&before) != others(&after) {
        return Some("another section differs".into());
    }
    written.iter().find_map(|section| {
        let of = |members: &Members| members.iter().find(|(name, _)| name == section).map(|(_, value)| value.clone());
        let old = of(&before).map_or_else(|| Some(Members::new()), |text| members_of(&text));
        let new = of(&after).map_or_else(|| Some(Members::new()), |text| members_of(&text));
        let (Some(old), Some(new)) = (old, new) else { return Some(format!("{section} is no object")) };
        section_objection(section, &old, &new)
    })
}

fn section_objection(section: &str, old: &Members, new: &Members) -> Option<String> {
    if has_repeated(new) {
        return Some(format!("{section} has an entry twice"));
    }
    for (key, entry) in old {
        let expired = section == "AccessToken" && text(entry, "expires_on").as_deref() == Some("1600000000");
        if !expired && !new.iter().any(|(other, _)| other == key) {
            return Some(format!("{section} lacks {key}"));
        }
    }
    // Old members keep their order.
    let kept = |members: &Members, others: &Members| -> Vec<String> {
        members
            .iter()
            .filter(|(key, _)| others.iter().any(|(other, _)| other == key))
            .map(|(key, _)| key.clone())
            .collect()
    };
    if kept(old, new) != kept(new, old) {
        return Some(format!("{section} is in another order"));
    }
    new.iter().find_map(|(key, entry)| {
        let before = old.iter().find(|(other, _)| other == key).map(|(_, entry)| entry);
        if before == Some(entry) {
            return None;
        }
        let fields = members_of(entry)?;
        let is_fine = !has_repeated(&fields)
            && fields.iter().all(|(_, value)| value.starts_with('"'))
            && match section {
                "RefreshToken" => key == "rt-0" && is_rotation(&members_of(before?)?, &fields),
                "AccessToken" => is_new(entry, key, "hunter-at-new", "accesstoken"),
                "IdToken" => is_new(entry, key, "hunter-id-new", "idtoken"),
                _ => text(entry, "client_id").as_deref() == Some("client"),
            };
        (!is_fine).then(|| format!("{section} has {key}: {entry}"))
    })
}

fn is_rotation(old: &Members, new: &Members) -> bool {
    let changed = ["secret", "last_modification_time"];
    let others = |fields: &Members| -> Members {
        fields.iter().filter(|(name, _)| !changed.contains(&name.as_str())).cloned().collect()
    };
    let time = new.iter().find(|(name, _)| name == "last_modification_time");
    let is_time = |text: &str| text.trim_matches('"').parse::<u64>().is_ok_and(|time| time <= NOW);
    others(old) == others(new)
        && new.iter().any(|(name, value)| name == "secret" && value == "\"hunter-rt-new\"")
        && time.is_none_or(|(_, time)| is_time(time))
}

fn is_new(entry: &str, key: &str, secret: &str, kind: &str) -> bool {
    let of = |name| text(entry, name).unwrap_or_default();
    let made = format!(
        "{}-{}-{kind}-{}-{}-{}",
        of("home_account_id"),
        of("environment"),
        of("client_id"),
        of("realm"),
        if kind == "accesstoken" { of("target") } else { String::new() }
    );
    let in_time = kind == "idtoken" || of("expires_on").parse::<u64>().is_ok_and(|expiry| expiry <= NOW + 3600);
    of("secret") == secret
        && of("home_account_id") == "uid-0.utid-0"
        && key == made.to_lowercase()
        && in_time
        && text(entry, "ext_cache_key").is_none()
}

fn text(object: &str, name: &str) -> Option<String> {
    let (_, value) = members_of(object)?.into_iter().find(|(other, _)| other == name)?;
    serde_json::from_str(&value).ok()
}

fn has_repeated(members: &Members) -> bool {
    let mut names: Vec<_> = members.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

fn members(document: &str) -> Option<Members> {
    members_of(document)
}

fn members_of(object: &str) -> Option<Members> {
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
    let mut deserializer = serde_json::Deserializer::from_str(object);
    let members = deserializer.deserialize_map(List).ok()?;
    deserializer.end().ok()?;
    Some(members)
}
