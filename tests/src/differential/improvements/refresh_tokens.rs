//! The choice of refresh tokens, and their removal.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::differential::case::{Case, is_of};
use crate::differential::change::Change;
use crate::differential::compare::{Difference, Pair};
use crate::differential::document::{key_of, seconds, text, text_of};
use crate::differential::situation::{Outcome, Reply};

/// A refresh token of another client without a family, or of another cloud, is never sent. The reference sends each that the
/// account has, under a client id that it was not issued to.
pub(super) fn only_usable_refresh_tokens_are_sent(case: &mut Case<'_>) {
    case.hide("RefreshToken", |case, entry| !case.is_usable(entry));
}

/// The own client's refresh tokens come first, then the newest. The reference uses the document's
/// order.
pub(super) fn refresh_tokens_have_an_order(case: &mut Case<'_>) {
    if case.record.is_some() {
        return;
    }
    let own = case.client().to_owned();
    let entries = case.document_mut().and_then(|document| document.entries_mut("RefreshToken"));
    if let Some(entries) = entries {
        entries.sort_by_key(|(_, entry)| {
            (!is_of(entry, &own), Reverse(seconds(entry, "last_modification_time").unwrap_or_default()))
        });
    }
}

/// If the authority refuses a refresh token, the account's next one is tried; if all are refused,
/// the first refusal is reported. The reference documents that it tries each, and stops at the
/// first.
pub(super) fn every_refresh_token_is_tried(case: &mut Case<'_>) {
    if case.record.is_some() {
        return;
    }
    let sent: Vec<String> =
        case.ours.requests.iter().map(|request| request.field("refresh_token").to_owned()).collect();
    let ([before @ .., last], [first, after @ ..]) = (sent.as_slice(), sent.as_slice()) else { return };
    if before.is_empty() || !before.iter().all(|token| another_may_do(case.reply_to(token))) || !in_order(case, &sent) {
        return;
    }
    let refused = error_of(case.reply_to(last)).is_some_and(|_| case.reply_to(last).status == 400);
    case.hidden = if refused { after.to_vec() } else { before.to_vec() };
    case.hidden.retain(|token| !refused || token != first);
    let secrets: BTreeSet<String> = case.hidden.iter().cloned().collect();
    case.hide("RefreshToken", |_, entry| secrets.contains(text_of(entry, "secret")));
}

/// Dead ones among them are removed. The reference did not get them.
pub(super) fn a_dead_refresh_token_goes_though_another_did(difference: &Difference, pair: &Pair<'_>) -> bool {
    let Some(secret) = removed(difference, pair, |ours, theirs| ours.is_some() && theirs.is_none()) else {
        return false;
    };
    pair.case.hidden.contains(&secret) && is_dead(pair.case.reply_to(&secret))
}

/// A refresh token survives a plain `invalid_grant`, which may be a policy that the user can
/// satisfy. The reference removes it, and so signs the user out of every tool.
pub(super) fn a_refresh_token_survives_a_refusal(difference: &Difference, pair: &Pair<'_>) -> bool {
    let Some(secret) = removed(difference, pair, |ours, theirs| ours.is_none() && theirs.is_some()) else {
        return false;
    };
    let reply = pair.case.reply_to(&secret);
    let sent = pair.theirs.requests.iter().any(|request| request.field("refresh_token") == secret);
    sent && error_of(reply).as_deref() == Some("invalid_grant") && !is_dead(reply)
}

/// If several entries contain the redeemed refresh token, none is changed and none added. The
/// reference adds another, under the client id of its request.
pub(super) fn an_ambiguous_rotation_adds_nothing(difference: &Difference, pair: &Pair<'_>) -> bool {
    let Difference::Entry { section, ours: None, theirs: Some(change), .. } = difference else { return false };
    let Some(redeemed) = pair.theirs.requests.first().map(|request| request.field("refresh_token")) else {
        return false;
    };
    let document = pair.case.document();
    let holders = document.entries("RefreshToken").iter().filter(|(_, entry)| text_of(entry, "secret") == redeemed);
    let new = pair.case.reply_to(redeemed).value();
    let written = match change {
        Change::Put(_, entry) => entry.get("secret").cloned(),
        Change::Fields(fields) => fields.get("secret").cloned().flatten(),
        Change::Removed | Change::Several(_) => None,
    };
    section == "RefreshToken"
        && holders.count() > 1
        && written.is_some()
        && written.as_ref() == new.get("refresh_token")
}

/// The fields of an OAuth 2.0 error are kept: suberror, codes, claims and correlation id. The
/// reference keeps a text.
pub(super) fn an_oauth_error_is_kept_whole(difference: &Difference, pair: &Pair<'_>) -> bool {
    let Outcome::Error { oauth: Some(oauth), .. } = &pair.case.ours.outcome else { return false };
    let Some(first) = pair.case.ours.requests.first() else { return false };
    let reply = pair.case.reply_to(first.field("refresh_token")).value();
    let codes = reply.get("error_codes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    *difference == Difference::OAuth
        && oauth.suberror.as_deref() == text(&reply, "suberror")
        && oauth.claims.as_deref() == text(&reply, "claims")
        && oauth.correlation_id.as_deref() == text(&reply, "correlation_id")
        && oauth.error_codes.iter().copied().eq(codes.iter().filter_map(Value::as_u64))
}

/// The secret of a refresh token entry that one side removed.
pub(super) fn removed(
    difference: &Difference,
    pair: &Pair<'_>,
    sides: impl Fn(&Option<Change>, &Option<Change>) -> bool,
) -> Option<String> {
    let Difference::Entry { section, key, ours, theirs } = difference else { return None };
    let change = ours.as_ref().or(theirs.as_ref());
    if section != "RefreshToken" || change != Some(&Change::Removed) || !sides(ours, theirs) {
        return None;
    }
    let document = pair.case.document();
    let mut entries = document.entries("RefreshToken").iter();
    let entry = entries.find(|(old, entry)| key_of("RefreshToken", old, &entry.clone()).eq_ignore_ascii_case(key));
    entry.and_then(|(_, entry)| text(entry, "secret")).map(str::to_owned)
}

/// Whether ours sent an account's refresh tokens in their current order, each once.
fn in_order(case: &Case<'_>, sent: &[String]) -> bool {
    let home = sent.first().map(|token| case.owner_of(token));
    let document = case.given.content.document();
    let entries = document.entries("RefreshToken").iter().map(|(_, entry)| entry);
    let mine = entries.filter(|entry| text(entry, "home_account_id") == home.as_deref());
    let mut secrets: Vec<&str> = Vec::new();
    for secret in mine.filter_map(|entry| text(entry, "secret")) {
        if !secrets.contains(&secret) {
            secrets.push(secret);
        }
    }
    sent.len() <= secrets.len() && secrets.iter().zip(sent).all(|(secret, sent)| secret == sent)
}

pub(super) fn error_of(reply: &Reply) -> Option<String> {
    text(&reply.value(), "error").map(str::to_owned)
}

fn another_may_do(reply: &Reply) -> bool {
    let refusals = ["invalid_grant", "invalid_client", "unauthorized_client", "client_mismatch"];
    reply.status == 400 && error_of(reply).is_some_and(|code| refusals.contains(&code.as_str()))
}

pub(super) fn is_dead(reply: &Reply) -> bool {
    reply.status == 400 && matches!(text_of(&reply.value(), "suberror"), "bad_token" | "token_expired")
}
