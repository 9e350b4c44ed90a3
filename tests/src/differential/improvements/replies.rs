//! Responses of the authority.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::differential::case::Case;
use crate::differential::change::Change;
use crate::differential::compare::{Difference, Pair};
use crate::differential::document::{seconds, text};
use crate::differential::situation::Reply;

/// `refresh_in` may be a string, and counts as missing if it is not a number; lifetimes may have a
/// fraction. The reference gets such a token and loses it while caching it.
pub(super) fn numbers_in_replies_may_be_strings(case: &mut Case<'_>) {
    each_token(case, |_, _, fields| {
        let refresh_in = seconds(&Value::Object(fields.clone()), "refresh_in");
        match refresh_in {
            Some(refresh_in) => drop(fields.insert("refresh_in".into(), json!(refresh_in))),
            None => drop(fields.remove("refresh_in")),
        }
        if let Some(expires_in) = seconds(&Value::Object(fields.clone()), "expires_in") {
            fields.insert("expires_in".into(), json!(expires_in));
        }
    });
}

/// If a response has both `expires_on` and `expires_in`, the reported expiry is the cached one. The
/// reference reports one and caches the other.
pub(super) fn the_cached_expiry_is_the_reported_one(case: &mut Case<'_>) {
    let now = case.original.call.now;
    each_token(case, |_, _, fields| {
        let reply = Value::Object(fields.clone());
        if let (Some(expires_on), Some(expires_in)) = (seconds(&reply, "expires_on"), seconds(&reply, "expires_in")) {
            fields.insert("expires_in".into(), json!(expires_on.saturating_sub(now)));
            if expires_in >= 7200 {
                fields.entry("refresh_in").or_insert_with(|| json!(expires_in / 2));
            }
        }
    });
}

/// A token is cached for the account of the redeemed refresh token, also if `client_info` is
/// missing or unreadable. The reference caches it for no account, or loses it.
pub(super) fn the_account_is_known_without_client_info(case: &mut Case<'_>) {
    each_token(case, |case, refresh_token, fields| {
        let owner = case.owner_of(refresh_token);
        let Some((uid, utid)) = owner.split_once('.') else { return };
        let said = fields.get("client_info").and_then(Value::as_str).and_then(account_of);
        if said.is_none() {
            let info = URL_SAFE_NO_PAD.encode(json!({ "uid": uid, "utid": utid }).to_string());
            fields.insert("client_info".into(), info.into());
        }
    });
}

/// An id token is cached unread. The reference loses the access token if it can't decode the id
/// token.
pub(super) fn id_tokens_are_opaque(case: &mut Case<'_>) {
    let readable = |token: &str| {
        let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        payload.is_some_and(|payload| serde_json::from_slice::<Value>(&payload).is_ok())
    };
    let mut stand_ins = Vec::new();
    each_token(case, |case, refresh_token, fields| {
        let token = fields.get("id_token").and_then(Value::as_str).filter(|token| !readable(token)).map(str::to_owned);
        if let Some(token) = token {
            // Without client info the subject is the account.
            let claims = json!({ "sub": case.owner_of(refresh_token) }).to_string();
            let stand_in = format!("header.{}.stand-in", URL_SAFE_NO_PAD.encode(claims));
            fields.insert("id_token".into(), stand_in.clone().into());
            stand_ins.push((stand_in, token));
        }
    });
    case.stand_ins.extend(stand_ins);
}

/// A token of another account than the requested one is refused, and not cached. The reference does
/// not check it.
pub(super) fn a_token_of_another_account_is_refused(difference: &Difference, pair: &Pair<'_>) -> bool {
    let Some(last) = pair.case.ours.requests.last() else { return false };
    let token = last.field("refresh_token");
    let reply = pair.case.reply_to(token).value();
    let said = text(&reply, "client_info").and_then(account_of);
    let another = said.is_some_and(|account| !account.eq_ignore_ascii_case(&pair.case.owner_of(token)));
    another && is_refused(pair, "unexpected-response") && only_theirs(difference)
}

/// A status of 429 or 5xx means an overloaded authority, so a later retry may succeed. The
/// reference ignores the status: it reports an OAuth error, or fails on a page of HTML.
pub(super) fn a_busy_authority_is_unreachable(difference: &Difference, pair: &Pair<'_>) -> bool {
    let busy = pair.case.last_reply().is_some_and(|reply| reply.status == 429 || reply.status >= 500);
    busy && is_refused(pair, "unreachable") && only_theirs(difference)
}

/// A response that is not a JSON object comes from a proxy or a portal, so the authority was not
/// reached. The reference fails on it.
pub(super) fn a_page_comes_from_a_portal(difference: &Difference, pair: &Pair<'_>) -> bool {
    let page = pair.case.last_reply().is_some_and(|reply| reply.status < 429 && !reply.value().is_object());
    page && is_refused(pair, "unreachable") && only_theirs(difference)
}

/// A response without a valid token is reported as unexpected, and nothing of it is cached. The
/// reference fails with an exception of its code, and may have cached parts of it before; with a
/// record it assumes a lifetime.
pub(super) fn a_response_that_is_no_token_is_named(difference: &Difference, pair: &Pair<'_>) -> bool {
    let Some(reply) = pair.case.last_reply() else { return false };
    let value = reply.value();
    let token = text(&value, "access_token").is_some() && value.get("expires_in").is_some();
    !token
        && reply.status < 429
        && text(&value, "error").is_none()
        && is_refused(pair, "unexpected-response")
        && match difference {
            Difference::Outcome => pair.theirs.outcome.error().starts_with("raised "),
            Difference::Entry { section, ours: None, theirs: Some(Change::Fields(_) | Change::Put(..)), .. } => {
                let parts = ["RefreshToken", "AccessToken", "IdToken", "AppMetadata"];
                let cached = if pair.case.record.is_some() { parts.as_slice() } else { &["RefreshToken"] };
                cached.contains(&section.as_str())
            }
            _ => false,
        }
}

/// Whether ours ends in this error, or in a cached token instead.
fn is_refused(pair: &Pair<'_>, name: &str) -> bool {
    let outcome = &pair.case.ours.outcome;
    outcome.error() == name || pair.case.fallback.as_deref().is_some_and(|token| token == outcome.token())
}

/// Whether the difference is the outcome, or a change of the cache by the reference alone.
fn only_theirs(difference: &Difference) -> bool {
    match difference {
        Difference::Outcome | Difference::Entry { ours: None, .. } => true,
        Difference::Entry { .. } | Difference::OAuth | Difference::Candidates | Difference::Requests => false,
    }
}

/// The account in a `client_info`.
fn account_of(client_info: &str) -> Option<String> {
    let info: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(client_info).ok()?).ok()?;
    Some(format!("{}.{}", text(&info, "uid")?, text(&info, "utid")?))
}

/// Calls `edit` for the fields of every response that looks like a token, with its refresh token.
pub(super) fn each_token(case: &mut Case<'_>, mut edit: impl FnMut(&Case<'_>, &str, &mut Map<String, Value>)) {
    let mut replies = std::mem::take(&mut case.given.call.replies);
    for (refresh_token, reply) in &mut replies {
        if let Value::Object(mut fields) = reply.value()
            && fields.contains_key("access_token")
        {
            edit(case, refresh_token, &mut fields);
            let body = Value::Object(fields);
            if body != reply.value() {
                *reply = Reply { body: body.to_string(), ..reply.clone() };
            }
        }
    }
    case.given.call.replies = replies;
}
