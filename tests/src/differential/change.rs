//! The changes of a cache by a call.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::document::{Document, Section, key_of, text_of};
use super::situation::Content;

/// Prefix of the home account id of an entry that the reference must not find.
pub(crate) const HIDDEN: &str = "hidden-from-the-reference-";

/// The field for an entry's environment, where the reference gets another.
pub(crate) const ENVIRONMENT: &str = "environment_for_ours";

/// Marks an entry that exists for the reference only.
pub(crate) const ADDED: &str = "added_for_the_reference";

/// Marks an entry that has a family for the reference only.
pub(crate) const FAMILY: &str = "family_for_the_reference";

/// A change of one entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// The entry was removed.
    Removed,
    /// The entry was added or replaced; these are its key and all its fields.
    Put(String, Value),
    /// Fields of a refresh token changed: one is never replaced as a whole.
    Fields(BTreeMap<String, Option<Value>>),
    /// Several entries with the same key in MSAL.
    Several(Vec<Value>),
}

/// Changes by section and by MSAL's key of the entry: another key chosen by the writer has no
/// meaning.
pub(crate) type Changes = BTreeMap<(String, String), Change>;

/// The changes. The creation or removal of a document is a change of the section `""`.
pub(crate) fn changes(before: &Content, after: &Content) -> Changes {
    let mut changes = Changes::new();
    let (before, after) = match (&before.clone().unmarked(), &after.clone().unmarked()) {
        (Content::Missing, Content::Missing) => return changes,
        (Content::Other(old), Content::Other(new)) if old == new => return changes,
        (Content::Document(old), Content::Document(new)) => (old.clone(), new.clone()),
        // MSAL treats an empty file as an empty cache.
        (Content::Other(old), Content::Document(new)) if old.is_empty() => (Document::default(), new.clone()),
        (_, after) => {
            let value = Value::from(after.text());
            changes.insert((String::new(), String::new()), Change::Put(String::new(), value));
            return changes;
        }
    };
    let names: BTreeSet<&String> = before.sections.iter().chain(&after.sections).map(|(name, _)| name).collect();
    for name in names {
        let (old, new) = (by_key(&before, name), by_key(&after, name));
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            if let Some(change) = change(name, old.get(key), new.get(key)) {
                changes.insert((name.clone(), key.clone()), change);
            }
        }
    }
    changes
}

type Entries = BTreeMap<String, Vec<(String, Value)>>;

fn by_key(document: &Document, name: &str) -> Entries {
    let mut entries = Entries::new();
    let section = document.sections.iter().find(|(other, _)| other == name);
    match section {
        Some((_, Section::Entries(all))) => {
            for (key, entry) in all.iter().filter(|(_, entry)| entry.get(ADDED).is_none()) {
                let entry = shown(entry);
                entries.entry(key_of(name, key, &entry)).or_default().push((key.clone(), entry));
            }
        }
        // Some writers spell a section without entries as `null`.
        Some((_, Section::Other(Value::Null))) | None => {}
        Some((_, Section::Other(other))) => {
            entries.insert(String::new(), vec![(String::new(), other.clone())]);
        }
    }
    entries
}

/// The entry without fields that make no difference to its reader.
fn shown(entry: &Value) -> Value {
    let mut entry = entry.clone();
    if let Some(fields) = entry.as_object_mut()
        && let Some(environment) = fields.remove(ENVIRONMENT)
    {
        fields.insert("environment".into(), environment);
    }
    if let Some(fields) = entry.as_object_mut()
        && fields.remove(FAMILY).is_some()
    {
        fields.remove("family_id");
    }
    let home = text_of(&entry, "home_account_id").strip_prefix(HIDDEN).map(str::to_owned);
    if let (Some(fields), Some(home)) = (entry.as_object_mut(), home) {
        fields.insert("home_account_id".into(), home.into());
    }
    entry
}

fn change(name: &str, old: Option<&Vec<(String, Value)>>, new: Option<&Vec<(String, Value)>>) -> Option<Change> {
    match (old.map(Vec::as_slice).unwrap_or_default(), new.map(Vec::as_slice).unwrap_or_default()) {
        (old, new) if old == new => None,
        (_, []) => Some(Change::Removed),
        ([(_, old)], [(_, new)]) if name == "RefreshToken" => {
            let fields = fields(old.as_object()?, new.as_object()?);
            (!fields.is_empty()).then_some(Change::Fields(fields))
        }
        ([(_, old)], [(_, new)]) if old == new => None,
        (_, [(key, new)]) => Some(Change::Put(key.clone(), new.clone())),
        (_, several) => Some(Change::Several(several.iter().map(|(_, entry)| entry.clone()).collect())),
    }
}

fn fields(old: &Map<String, Value>, new: &Map<String, Value>) -> BTreeMap<String, Option<Value>> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    differing.map(|name| (name.clone(), new.get(name).cloned())).collect()
}
