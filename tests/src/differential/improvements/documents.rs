//! Documents of other programs, and damaged ones.

use serde_json::{Value, json};

use crate::differential::case::Case;
use crate::differential::change::Change;
use crate::differential::compare::{Difference, Pair};
use crate::differential::document::{Section, key_of, seconds, text, text_of};
use crate::differential::situation::Content;

const READ: [&str; 3] = ["Account", "RefreshToken", "AccessToken"];

/// A byte order mark is skipped. The reference reports a damaged cache.
pub(super) fn a_byte_order_mark_is_skipped(case: &mut Case<'_>) {
    case.given.content = case.given.content.clone().unmarked();
}

/// A cache that is not a JSON object is reported as damaged. The reference reports a failed
/// authentication, with the parser's message.
pub(super) fn a_damaged_cache_is_named(difference: &Difference, pair: &Pair<'_>) -> bool {
    let damaged = matches!(&pair.case.original.content, Content::Other(text) if !text.is_empty());
    let failed = ["raised ClientAuthenticationError", "raised AttributeError", "raised TypeError"];
    *difference == Difference::Outcome
        && damaged
        && pair.case.ours.outcome.error() == "cache-corrupt"
        && failed.contains(&pair.theirs.outcome.error())
}

/// A section that is `null` or of another type has no entries. The reference fails on it, even after it got a token.
pub(super) fn sections_of_another_type_are_absent(case: &mut Case<'_>) {
    if let Some(document) = case.document_mut() {
        let known = ["Account", "RefreshToken", "AccessToken", "IdToken", "AppMetadata"];
        document
            .sections
            .retain(|(name, section)| matches!(section, Section::Entries(_)) || !known.contains(&name.as_str()));
    }
}

/// If a section to be written is of another type, nothing is written, as its content would be lost;
/// the caller gets the token. The reference loses the token.
pub(super) fn a_section_of_another_type_is_not_overwritten(difference: &Difference, pair: &Pair<'_>) -> bool {
    let document = pair.case.document();
    let unwritable =
        document.sections.iter().any(|(_, section)| matches!(section, Section::Other(other) if !other.is_null()));
    matches!(difference, Difference::Entry { ours: None, theirs: Some(_), .. })
        && unwritable
        && pair.our_changes().is_empty()
}

/// An entry that is not an object, or lacks a required field, is skipped. The reference fails on
/// it, also if it belongs to another account.
pub(super) fn entries_of_another_shape_are_skipped(case: &mut Case<'_>) {
    let mut skipped = Vec::new();
    let Some(document) = case.document_mut() else { return };
    for name in READ {
        let Some(entries) = document.entries_mut(name) else { continue };
        entries.retain(|(key, entry)| {
            let has = |field| text(entry, field).is_some();
            let named = !text_of(entry, "home_account_id").is_empty() && has("environment");
            let good = match name {
                "Account" => named,
                "RefreshToken" => named && has("secret"),
                _ => {
                    named
                        && !text_of(entry, "secret").is_empty()
                        && has("target")
                        && seconds(entry, "expires_on").is_some()
                }
            };
            skipped.extend((!good).then(|| (name, key.clone())));
            good
        });
    }
    case.skipped = skipped;
}

/// A field that is `null`, empty or of another type counts as missing, a time may be a number or
/// have a fraction, and `credential_type` is optional in a section named after it. The reference
/// fails on some of these, and reads a family id of `null` as a family.
pub(super) fn fields_of_another_type_are_missing(case: &mut Case<'_>) {
    let Some(document) = case.document_mut() else { return };
    for name in READ {
        document.each(name, |fields| {
            fields.retain(|_, value| !value.is_null());
            for field in ["client_id", "realm", "username", "family_id", "target"] {
                if fields.get(field).is_some_and(|value| !value.is_string()) {
                    fields.remove(field);
                }
            }
            for field in ["family_id", "secret"] {
                if fields.get(field).and_then(Value::as_str) == Some("") {
                    fields.remove(field);
                }
            }
            for field in ["expires_on", "refresh_on", "cached_at"] {
                let time = seconds(&Value::Object(fields.clone()), field);
                match time {
                    Some(time) => drop(fields.insert(field.into(), time.to_string().into())),
                    None => drop(fields.remove(field)),
                }
            }
            if name != "Account" {
                fields.insert("credential_type".into(), json!(name));
            }
        });
    }
    // MSAL requires the secret of every refresh token that it reads.
    if case.record.is_some() {
        case.hide("RefreshToken", |_, entry| text_of(entry, "secret").is_empty());
    }
}

/// An environment is a host, so its case has no meaning. The reference compares it with case.
pub(super) fn environments_have_no_case(case: &mut Case<'_>) {
    let Some(document) = case.document_mut() else { return };
    for name in READ {
        document.each(name, |fields| {
            let lower = fields.get("environment").and_then(Value::as_str).map(str::to_lowercase);
            fields.extend(lower.map(|lower| ("environment".to_owned(), lower.into())));
        });
    }
}

/// Keys have no meaning: a rotated refresh token keeps its key, an expired token is removed
/// whatever its key, and a new token replaces one whose key differs in case. The reference writes
/// and removes under MSAL's key of the entry, and leaves the old one beside it.
pub(super) fn keys_mean_nothing(case: &mut Case<'_>) {
    let now = case.original.call.now;
    let Some(document) = case.document_mut() else { return };
    for name in READ {
        let Some(entries) = document.entries_mut(name) else { continue };
        let mut taken: Vec<String> = entries.iter().map(|(key, _)| key.clone()).collect();
        for (key, entry) in entries.iter_mut() {
            let right = key_of(name, key, entry);
            let expired = seconds(entry, "expires_on").is_some_and(|time| time < now);
            let changes = name == "RefreshToken" || expired || right.eq_ignore_ascii_case(key);
            // If two entries have one key, one of them has to keep another.
            if changes && !taken.contains(&right) {
                taken.push(right.clone());
                *key = right;
            }
        }
    }
}

/// The client's metadata keeps fields that are missing in a response. The reference drops them, the
/// family included, and writes the metadata twice if a record spells the client in another case.
pub(super) fn app_metadata_are_merged(difference: &Difference, pair: &Pair<'_>) -> bool {
    match difference {
        Difference::Entry { section, key, ours: Some(Change::Removed), theirs: None } if section == "AppMetadata" => {
            let written = format!("appmetadata-{}-{}", pair.case.authority(), pair.case.client());
            key.eq_ignore_ascii_case(&written) && pair.our_changes().keys().any(|(_, key)| *key == written)
        }
        Difference::Entry { section, ours, theirs: Some(Change::Put(_, theirs)), .. } if section == "AppMetadata" => {
            let Some(theirs) = theirs.as_object() else { return false };
            match ours {
                Some(Change::Put(_, ours)) => theirs.iter().all(|(field, value)| ours.get(field) == Some(value)),
                // The document already contained everything in the response.
                None => true,
                Some(_) => false,
            }
        }
        _ => false,
    }
}
