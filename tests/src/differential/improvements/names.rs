//! Aliases: with an authentication record, the reference uses one name of a client, a tenant and a
//! cloud.

use serde_json::{Map, Value};

use crate::differential::case::{Case, Tenant, is_of};
use crate::differential::change::{ADDED, ENVIRONMENT, FAMILY};
use crate::differential::document::{key_of, seconds, text_of};

/// The ids of clients and tenants are compared without case. The reference compares them with case.
pub(super) fn ids_have_no_case(case: &mut Case<'_>) {
    let Some(record) = case.record.clone() else { return };
    let tenant = case.tenant();
    let own = |fields: &Map<String, Value>| is_of(&Value::Object(fields.clone()), &record.client_id);
    let Some(document) = case.document_mut() else { return };
    for name in ["RefreshToken", "AccessToken"] {
        document.each(name, |fields| {
            if own(fields) {
                fields.insert("client_id".into(), record.client_id.clone().into());
            }
            let realm = fields.get("realm").and_then(Value::as_str).unwrap_or_default();
            if let Tenant::Named(tenant) = &tenant
                && realm.eq_ignore_ascii_case(tenant)
            {
                fields.insert("realm".into(), tenant.clone().into());
            }
        });
    }
    copy_metadata(case, |_, entry| text_of(entry, "client_id") != record.client_id);
}

/// The hosts of a cloud are aliases of one environment: entries under other aliases than the
/// record's authority are found, and their refresh tokens are sent to that authority. The reference
/// looks under other aliases only if it finds nothing under the first, and then uses the authority
/// of that alias.
pub(super) fn the_hosts_of_a_cloud_are_one_environment(case: &mut Case<'_>) {
    if case.record.is_none() {
        return;
    }
    let (host, now) = (case.authority(), case.original.call.now);
    let mut document = case.given.content.document();
    for name in ["Account", "RefreshToken", "AccessToken"] {
        let Some(entries) = document.entries_mut(name) else { continue };
        let mut taken: Vec<String> = entries.iter().map(|(key, _)| key.clone()).collect();
        for (key, entry) in entries.iter_mut() {
            let environment = text_of(entry, "environment").to_owned();
            if environment == host || !case.is_alias(&environment) {
                continue;
            }
            // A token that stays must not block a new one.
            let expired = seconds(entry, "expires_on").is_some_and(|time| time < now);
            let standard = key_of(name, key, entry) == *key && (name != "AccessToken" || expired);
            if let Some(fields) = entry.as_object_mut() {
                fields.insert("environment".into(), host.clone().into());
                fields.insert(ENVIRONMENT.into(), environment.into());
            }
            let moved = key_of(name, key, entry);
            if standard && !taken.contains(&moved) {
                taken.push(moved.clone());
                *key = moved;
            }
        }
    }
    if let Some(given) = case.document_mut() {
        *given = document;
    }
    copy_metadata(case, |case, entry| text_of(entry, "environment") != case.authority());
}

/// Gives the reference the client's metadata under the alias where it looks, if the cache has
/// metadata that are `such`.
fn copy_metadata(case: &mut Case<'_>, such: impl Fn(&Case<'_>, &Value) -> bool) {
    let (client, host) = (case.client().to_owned(), case.authority());
    let document = case.given.content.document();
    let own = document
        .entries("AppMetadata")
        .iter()
        .map(|(_, entry)| entry)
        .filter(|entry| is_of(entry, &client) && case.is_alias(text_of(entry, "environment")));
    let key = format!("appmetadata-{host}-{client}");
    let found = own.clone().find(|entry| !text_of(entry, "family_id").is_empty()).or(own.clone().next());
    let Some(mut copy) = found.filter(|entry| such(case, entry)).cloned() else { return };
    let family = copy.get("family_id").cloned().unwrap_or_default();
    let (Some(fields), Some(given)) = (copy.as_object_mut(), case.document_mut()) else { return };
    let there =
        given.entries_mut("AppMetadata").and_then(|entries| entries.iter_mut().find(|(other, _)| *other == key));
    if let Some((_, there)) = there {
        if text_of(there, "family_id").is_empty()
            && let Some(there) = there.as_object_mut()
        {
            there.insert("family_id".into(), family);
            there.insert(FAMILY.into(), true.into());
        }
    } else {
        fields.insert(ADDED.into(), true.into());
        given.push("AppMetadata", key, copy);
    }
}
