//! The contents and the time of writes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::differential::case::{Case, is_bearer, is_bound_to_a_key};
use crate::differential::change::{Change, changes};
use crate::differential::compare::{Difference, Pair};
use crate::differential::document::{key_of, seconds, text, text_of};
use crate::differential::situation::{Content, Outcome};

/// Expired tokens stay until there is a new one to write, and a call that only reads writes
/// nothing. The reference removes them whenever it looks for a token.
pub(super) fn a_read_removes_nothing(case: &mut Case<'_>) {
    if !has_cached(case) {
        drop_expired(case, |_| true);
    }
}

/// A write keeps expired tokens of other accounts, and those that are bound: other readers may
/// still use them. The reference removes all.
pub(super) fn expired_tokens_of_others_stay(case: &mut Case<'_>) {
    if has_cached(case) {
        let account = case.ours.requests.last().map(|request| case.owner_of(request.field("refresh_token")));
        drop_expired(case, |entry| {
            Some(text_of(entry, "home_account_id")) != account.as_deref()
                || is_bound_to_a_key(entry)
                || !is_bearer(entry)
        });
    }
}

/// A write removes the account's own expired tokens. The reference does so only if it looked for a
/// token before, which it does not if there are claims.
pub(super) fn expired_tokens_go_with_a_write(difference: &Difference, pair: &Pair<'_>) -> bool {
    let Difference::Entry { section, key, ours: Some(Change::Removed), theirs: None } = difference else {
        return false;
    };
    let call = &pair.case.original.call;
    let document = pair.case.document();
    let mut entries = document.entries("AccessToken").iter().filter(|(old, entry)| key_of(section, old, entry) == *key);
    section == "AccessToken"
        && (call.claims.is_some() || pair.case.fallback.is_some())
        && entries.all(|(_, entry)| seconds(entry, "expires_on").is_some_and(|time| time < call.now))
}

/// A refresh does not change account entries, which the sign-in wrote. The reference adds one for
/// the tenant of the request, and overwrites the username if there is no id token, or another entry
/// that has the key.
pub(super) fn account_entries_are_not_rewritten(difference: &Difference, pair: &Pair<'_>) -> bool {
    let Difference::Entry { section, key, ours: None, theirs: Some(change) } = difference else { return false };
    let entry = match change {
        Change::Put(_, entry) => Some(entry.clone()),
        Change::Removed => put_over(pair, section, key),
        Change::Fields(_) | Change::Several(_) => None,
    };
    let redeemed = pair.theirs.requests.last().map(|request| pair.case.owner_of(request.field("refresh_token")));
    section == "Account"
        && redeemed.is_some()
        && entry.as_ref().and_then(|entry| text(entry, "home_account_id")) == redeemed.as_deref()
        && matches!(pair.theirs.outcome, Outcome::Token { .. })
        && pair.case.ours.outcome.token() == pair.theirs.outcome.token()
}

/// The reference's entry in place of one whose fields belong to another key.
fn put_over(pair: &Pair<'_>, section: &str, key: &str) -> Option<Value> {
    let document = pair.case.document();
    let mut entries = document.entries(section).iter();
    let (old, _) = entries.find(|(old, entry)| key_of(section, old, entry) == key)?;
    pair.their_changes().into_values().find_map(|change| match change {
        Change::Put(new, entry) if new == *old => Some(entry),
        _ => None,
    })
}

/// Whether ours cached a new token.
fn has_cached(case: &Case<'_>) -> bool {
    let changes = changes(&case.original.content, &Content::of(case.ours.document.as_deref()));
    changes.iter().any(|((section, _), change)| section == "AccessToken" && *change != Change::Removed)
}

/// Ignores expired tokens that ours kept in the document.
fn drop_expired(case: &mut Case<'_>, such: impl Fn(&Value) -> bool) {
    let now = case.original.call.now;
    let after = Content::of(case.ours.document.as_deref()).document();
    let left: BTreeSet<&str> = after.entries("AccessToken").iter().map(|(_, entry)| text_of(entry, "secret")).collect();
    let Some(document) = case.document_mut() else { return };
    let expired = |entry: &Value| seconds(entry, "expires_on").is_some_and(|time| time < now);
    document.retain("AccessToken", |entry| !expired(entry) || !such(entry) || !left.contains(text_of(entry, "secret")));
}
