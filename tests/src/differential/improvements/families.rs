//! The choice of refresh tokens for an authentication record. The reference leaves it to MSAL.

use std::cmp::Reverse;

use serde_json::Value;

use super::refresh_tokens::{error_of, is_dead, removed};
use crate::differential::case::{Case, is_of};
use crate::differential::compare::{Difference, Pair};
use crate::differential::document::{seconds, text, text_of};
use crate::differential::situation::{Reply, Request};

/// While the client's family is unknown, its own refresh tokens come first. The reference tries the
/// family's first, and so sends the authority sign-ins of other clients.
pub(super) fn the_own_refresh_token_comes_first(case: &mut Case<'_>) {
    let Some(search) = Search::of(case).filter(|search| search.membership == Membership::Unknown) else { return };
    if let Some((last, before)) = search.sent.split_last()
        && !search.is_refused(case)
    {
        case.hidden = before.to_vec();
        hide(case, |secret| secret != last);
    }
}

/// The search ends at a response that another refresh token can't improve: the authority is busy,
/// requires interaction, or reports that the client is not in the family. The reference continues
/// after every error.
pub(super) fn a_search_ends_with_a_final_answer(case: &mut Case<'_>) {
    let Some(search) = Search::of(case).filter(|search| !search.has_token(case)) else { return };
    hide(case, |secret| search.left.iter().any(|other| other == secret));
}

/// If all refresh tokens are refused, the first refusal is reported: it belongs to the best match.
/// The reference reports the last.
pub(super) fn the_first_refusal_is_reported(case: &mut Case<'_>) {
    let Some(search) = Search::of(case).filter(|search| search.is_refused(case)) else { return };
    if let Some((_, after)) = search.sent.split_first() {
        case.hidden = after.to_vec();
        hide(case, |secret| after.iter().any(|other| other == secret));
    }
}

/// A refresh token that the authority declares dead is removed. The reference keeps every refresh
/// token when it has a record, and tries the dead one again each time.
pub(super) fn a_dead_refresh_token_goes_with_a_record(difference: &Difference, pair: &Pair<'_>) -> bool {
    let Some(secret) = removed(difference, pair, |ours, theirs| ours.is_some() && theirs.is_none()) else {
        return false;
    };
    pair.case.record.is_some()
        && pair.case.ours.requests.iter().any(|request| request.field("refresh_token") == secret)
        && is_dead(pair.case.reply_to(&secret))
}

/// The refusal of a refresh token of the family is reported. The reference drops it while the
/// client's family is unknown, and reports that there is no refresh token.
pub(super) fn a_refusal_of_the_family_is_reported(difference: &Difference, pair: &Pair<'_>) -> bool {
    let case = pair.case;
    let document = case.document();
    let own = |request: &Request| {
        let secret = request.field("refresh_token");
        let mut entries = document.entries("RefreshToken").iter().map(|(_, entry)| entry);
        entries.any(|entry| text_of(entry, "secret") == secret && is_of(entry, case.client()))
    };
    *difference == Difference::Outcome
        && membership(case) == Membership::Unknown
        && case.ours.outcome.error() == "oauth-error"
        && pair.theirs.outcome.error() == "no-token"
        && !pair.theirs.requests.is_empty()
        && !pair.theirs.requests.iter().any(own)
}

/// The known facts about the client and families.
#[derive(Debug, PartialEq, Eq)]
enum Membership {
    Unknown,
    None,
    Of(String),
}

/// How ours tried the refresh tokens of a record's account.
struct Search {
    membership: Membership,
    /// Those that it sent.
    sent: Vec<String>,
    /// Those that it could have sent after them.
    left: Vec<String>,
}

impl Search {
    /// `None` if ours tried them in a wrong order, or not at all.
    fn of(case: &Case<'_>) -> Option<Self> {
        case.record.as_ref()?;
        let membership = membership(case);
        let order = in_order(case, &membership);
        let sent: Vec<&str> = case.ours.requests.iter().map(|request| request.field("refresh_token")).collect();
        let (_, before) = sent.split_last()?;
        let right = sent.len() <= order.len() && order.iter().zip(&sent).all(|((secret, _), sent)| secret == sent);
        let on = order.iter().zip(before).all(|((secret, on_trial), _)| goes_on(case.reply_to(secret), *on_trial));
        (right && on).then(|| Self {
            membership,
            left: order.iter().skip(sent.len()).map(|(secret, _)| secret.clone()).collect(),
            sent: sent.iter().map(|&secret| secret.to_owned()).collect(),
        })
    }

    fn last<'a>(&self, case: &'a Case<'_>) -> &'a Reply {
        case.reply_to(self.sent.last().map(String::as_str).unwrap_or_default())
    }

    fn is_refused(&self, case: &Case<'_>) -> bool {
        self.last(case).status == 400 && error_of(self.last(case)).is_some()
    }

    fn has_token(&self, case: &Case<'_>) -> bool {
        self.last(case).status == 200 && text(&self.last(case).value(), "access_token").is_some()
    }
}

fn membership(case: &Case<'_>) -> Membership {
    let document = case.document();
    let mut own = document
        .entries("AppMetadata")
        .iter()
        .map(|(_, entry)| entry)
        .filter(|entry| is_of(entry, case.client()) && case.is_alias(text_of(entry, "environment")));
    let Some(first) = own.next() else { return Membership::Unknown };
    let mut families = std::iter::once(first).chain(own).map(|entry| text_of(entry, "family_id"));
    families.find(|family| !family.is_empty()).map_or(Membership::None, |family| Membership::Of(family.to_owned()))
}

/// The allowed refresh tokens in their required order, each with a flag for those whose family is
/// only assumed.
fn in_order(case: &Case<'_>, membership: &Membership) -> Vec<(String, bool)> {
    let home = case.record.as_ref().map(|record| record.home_account_id.as_str());
    let document = case.given.content.document();
    let mut ranked: Vec<(u8, Reverse<u64>, &str)> = Vec::new();
    for (_, entry) in document.entries("RefreshToken") {
        let (own, family) = (is_of(entry, case.client()), text_of(entry, "family_id"));
        let rank = match membership {
            Membership::Of(known) if family == known => Some(0),
            Membership::Of(_) | Membership::None => own.then_some(1),
            Membership::Unknown if own => Some(0),
            Membership::Unknown => (family == "1").then_some(1),
        };
        let mine = text(entry, "home_account_id") == home && case.is_alias(text_of(entry, "environment"));
        if let (Some(rank), Some(secret), true) = (rank, text(entry, "secret"), mine) {
            let time = seconds(entry, "last_modification_time").unwrap_or_default();
            ranked.push((rank, Reverse(time), secret));
        }
    }
    ranked.sort_by_key(|(rank, time, _)| (*rank, *time));
    let mut order: Vec<(String, bool)> = Vec::new();
    for (rank, _, secret) in ranked {
        if order.iter().all(|(other, _)| other != secret) {
            order.push((secret.to_owned(), *membership == Membership::Unknown && rank == 1));
        }
    }
    order
}

/// Whether the next refresh token is tried after this response.
fn goes_on(reply: &Reply, on_trial: bool) -> bool {
    const MISMATCH: &str = "client_mismatch";

    let body = reply.value();
    let listed = body.get("error_additional_info").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let code = text_of(&body, "error");
    let mismatch = [code, text_of(&body, "suberror")].contains(&MISMATCH) || listed.iter().any(|info| info == MISMATCH);
    let another_may_do = ["invalid_grant", "invalid_client", "unauthorized_client"].contains(&code);
    reply.status == 400 && if mismatch { !on_trial } else { another_may_do }
}

fn hide(case: &mut Case<'_>, such: impl Fn(&str) -> bool) {
    let home = case.record.as_ref().map(|record| record.home_account_id.clone());
    case.hide("RefreshToken", |_, entry| {
        text(entry, "home_account_id") == home.as_deref() && such(text_of(entry, "secret"))
    });
}
