//! The account of an authentication record, and its tokens.

use std::collections::BTreeSet;

use serde_json::Value;

use super::access_tokens::{fits, keep};
use super::calls::{is_tenant, refused_at_once};
use super::replies::each_token;
use crate::differential::case::{Case, Tenant, host_of};
use crate::differential::compare::{Difference, Pair};
use crate::differential::document::{seconds, text, text_of};
use crate::differential::record::{self, Record};
use crate::differential::situation::Call;

/// The authority of a record may be a URL, as that of the options may. The reference takes the scheme for a host.
pub(super) fn the_authority_of_a_record_may_be_a_url(case: &mut Case<'_>) {
    let Some(record) = &case.record else { return };
    let host = host_of(&record.authority);
    if record.authority.starts_with("https://") {
        record::set(&mut case.given.options, "authority", &host);
    }
}

/// If both the account and the permission for the tenant are missing, the error reports the
/// account. The reference reports the tenant, and does not read the cache.
pub(super) fn the_account_comes_before_the_tenant(case: &mut Case<'_>) {
    let missing = ["no-matching-account", "cache-corrupt"];
    if case.record.is_some() && case.tenant() == Tenant::NotAllowed && missing.contains(&case.ours.outcome.error()) {
        case.given.call.tenant_id = None;
    }
}

/// An account needs no username to be found. The reference fails on one without, also if it is
/// another account.
pub(super) fn accounts_need_no_username(case: &mut Case<'_>) {
    if case.record.is_some()
        && let Some(document) = case.document_mut()
    {
        document.each("Account", |fields| {
            fields.entry("username").or_insert_with(|| "".into());
        });
    }
}

/// The record's id identifies the account, as a username may change. The reference finds none if
/// the username differs, and reports a missing token if another account has it.
pub(super) fn the_account_is_known_by_its_id(case: &mut Case<'_>) {
    let Some(Record { home_account_id, mut username, .. }) = case.record.clone() else { return };
    if username.is_empty() {
        // MSAL reads this as any account.
        "somebody".clone_into(&mut username);
        record::set(&mut case.given.options, "username", &username);
    }
    let Some(document) = case.document_mut() else { return };
    document.each("Account", |fields| {
        if fields.get("home_account_id").and_then(Value::as_str) == Some(&home_account_id) {
            fields.insert("username".into(), username.clone().into());
        } else if fields
            .get("username")
            .is_some_and(|name| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(&username)))
        {
            fields.insert("username".into(), "somebody else".into());
        }
    });
}

/// A token with 300 seconds left is renewed, as without a record. The reference serves it for one
/// more second.
pub(super) fn three_hundred_seconds_are_too_few(case: &mut Case<'_>) {
    if case.record.is_some() {
        keep(case, |case, entry| seconds(entry, "expires_on") != Some(case.original.call.now + 300));
    }
}

/// The early renewal of a valid token is limited to one attempt in thirty seconds, so that a
/// failing authority does not get a request on every call. The reference sends a request each time.
pub(super) fn a_renewal_is_tried_once_in_thirty_seconds(case: &mut Case<'_>) {
    let (Some(record), Some(earlier)) = (case.record.clone(), case.earlier) else { return };
    let (call, served) = (&case.original.call, case.ours.outcome.token());
    let rests = case.ours.requests.is_empty()
        && !served.is_empty()
        && !earlier.ours.requests.is_empty()
        && call.now < earlier.call.now + 30
        && scopes_of(&earlier.call) == scopes_of(call)
        && case.tenant_of(&earlier.call) == case.tenant();
    let document = case.given.content.document();
    let due = document.entries("AccessToken").iter().any(|(_, entry)| {
        text(entry, "secret") == Some(served)
            && fits(case, &record.home_account_id, entry)
            && seconds(entry, "refresh_on").is_some_and(|time| time <= call.now)
    });
    if rests && due {
        case.hide("RefreshToken", |_, entry| text_of(entry, "home_account_id") == record.home_account_id);
    }
}

/// The scopes of a call, ignoring order and case.
fn scopes_of(call: &Call) -> BTreeSet<String> {
    call.scopes.iter().flat_map(|scope| scope.split_whitespace()).map(str::to_lowercase).collect()
}

/// A token with a lifetime of two hours or more is renewed at half of it unless the authority sets
/// `refresh_in`, as without a record. The reference then waits until it expires.
pub(super) fn long_lived_tokens_are_renewed_at_half_their_life(case: &mut Case<'_>) {
    if case.record.is_some() {
        each_token(case, |_, _, fields| {
            let lifetime = seconds(&Value::Object(fields.clone()), "expires_in").filter(|lifetime| *lifetime >= 7200);
            if let Some(lifetime) = lifetime {
                fields.entry("refresh_in").or_insert_with(|| (lifetime / 2).into());
            }
        });
    }
}

/// Text that is not a record, or has an invalid client, tenant or authority, is refused before
/// anything is read or sent. The reference fails with its own text, or ignores it.
pub(super) fn records_that_are_none_are_refused(_: &Difference, pair: &Pair<'_>) -> bool {
    let Some(text) = &pair.case.original.options.record else { return false };
    let record: Value = serde_json::from_str(text).unwrap_or_default();
    let has = |field: &str| record.get(field).is_some_and(Value::is_string);
    let fields = ["authority", "clientId", "homeAccountId", "tenantId", "username", "version"];
    let client = text_of(&record, "clientId");
    let good = fields.into_iter().all(has)
        && !text_of(&record, "homeAccountId").is_empty()
        && is_tenant(text_of(&record, "tenantId"))
        && !client.is_empty()
        && client.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte))
        && is_authority(text_of(&record, "authority"));
    !good && refused_at_once(pair)
}

/// An authority in the options is validated, though the record's is used. The reference ignores it.
pub(super) fn authorities_that_are_none_are_refused(_: &Difference, pair: &Pair<'_>) -> bool {
    let options = &pair.case.original.options;
    options.record.is_some()
        && options.authority.as_deref().is_some_and(|authority| !is_authority(authority))
        && refused_at_once(pair)
}

fn is_authority(text: &str) -> bool {
    let host = host_of(text);
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}
