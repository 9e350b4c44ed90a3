//! Which cached access token is served.

use std::cmp::Reverse;

use serde_json::Value;

use crate::differential::case::{Case, Tenant, home_tenant, is_bearer, is_bound, is_of};
use crate::differential::compare::{Difference, Pair};
use crate::differential::document::{seconds, text, text_of};
use crate::differential::situation::Outcome;

/// The scopes of a call are compared one by one, also where one argument contains several. The
/// reference looks for a cached scope with a blank in it.
pub(super) fn arguments_are_split_into_scopes(case: &mut Case<'_>) {
    let scopes = case.scopes().into_iter().map(str::to_owned).collect();
    case.given.call.scopes = scopes;
}

/// Scopes are compared without case, as Microsoft Entra ID compares them. The reference finds no such token.
pub(super) fn scopes_have_no_case(case: &mut Case<'_>) {
    let scopes: Vec<String> = case.scopes().into_iter().map(str::to_owned).collect();
    let Some(document) = case.document_mut() else { return };
    document.each("AccessToken", |fields| {
        let Some(target) = fields.get("target").and_then(Value::as_str) else { return };
        let spelt = |cached: &str| scopes.iter().find(|scope| scope.eq_ignore_ascii_case(cached)).cloned();
        let target: Vec<_> = target.split(' ').map(|scope| spelt(scope).unwrap_or_else(|| scope.to_owned())).collect();
        fields.insert("target".into(), target.join(" ").into());
    });
}

/// A token that another cloud issued is not served. The reference compares the account only.
pub(super) fn tokens_of_another_cloud_are_not_served(case: &mut Case<'_>) {
    keep(case, |case, entry| case.is_alias(text_of(entry, "environment")));
}

/// A token that is bound to a key, a user assertion or an extended cache key is not served: without that the resource refuses it.
pub(super) fn bound_tokens_are_not_served(case: &mut Case<'_>) {
    keep(case, |_, entry| !is_bound(entry));
}

/// A token of another type than Bearer is not served: the caller would use it as a bearer token.
pub(super) fn only_bearer_tokens_are_served(case: &mut Case<'_>) {
    keep(case, |_, entry| is_bearer(entry));
}

/// The type is reported as `Bearer`, however it is spelt in the cache.
pub(super) fn the_token_type_has_one_spelling(case: &mut Case<'_>) {
    let Some(document) = case.document_mut() else { return };
    document.each("AccessToken", |fields| {
        let kind = fields.get("token_type").and_then(Value::as_str);
        if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            fields.insert("token_type".into(), "Bearer".into());
        }
    });
}

/// A token with a caching time in the future was written under another clock, so its expiry is
/// unreliable.
pub(super) fn tokens_from_the_future_are_not_served(case: &mut Case<'_>) {
    keep(case, |case, entry| seconds(entry, "cached_at").is_none_or(|time| time <= case.original.call.now));
}

/// A token of another tenant than the call asks for is not served: it opens another tenant's resources.
pub(super) fn tokens_of_another_tenant_are_not_served(case: &mut Case<'_>) {
    let tenant = case.tenant();
    keep(case, |_, entry| {
        let realm = |tenant: &str| text_of(entry, "realm").eq_ignore_ascii_case(tenant);
        match &tenant {
            Tenant::Named(tenant) => realm(tenant),
            Tenant::Home | Tenant::NotAllowed => {
                realm("organizations")
                    || realm("common")
                    || home_tenant(text_of(entry, "home_account_id")).is_some_and(realm)
            }
        }
    });
}

/// The call's tenant is checked before the lookup of a token. The reference serves a cached token
/// without that check, and where the account has no refresh token either, its error does not
/// mention the tenant.
pub(super) fn the_tenant_is_checked_first(case: &mut Case<'_>) {
    if case.tenant() != Tenant::NotAllowed {
        return;
    }
    keep(case, |_, _| false);
    let Some(document) = case.document_mut() else { return };
    document.each("RefreshToken", |fields| {
        fields.entry("secret").or_insert_with(|| "never sent".into());
    });
}

/// The order is: the credential's own client, then a token that needs no renewal yet, then the
/// latest expiry. The reference takes the first in the document, and with a record the one whose
/// scopes are just those of the call.
pub(super) fn the_best_token_is_served(case: &mut Case<'_>) {
    let (own, now) = (case.client().to_owned(), case.original.call.now);
    let entries = case.document_mut().and_then(|document| document.entries_mut("AccessToken"));
    if let Some(entries) = entries {
        entries.sort_by_key(|(_, entry)| {
            let due = seconds(entry, "refresh_on").is_some_and(|time| time <= now);
            (!is_of(entry, &own), due, Reverse(seconds(entry, "expires_on")))
        });
    }
    if let Some(record) = case.record.clone() {
        let document = case.given.content.document();
        let mut fitting = document.entries("AccessToken").iter().map(|(_, entry)| entry);
        let best = fitting.find(|entry| fits(case, &record.home_account_id, entry));
        case.hide("AccessToken", |case, entry| Some(entry) != best && fits(case, &record.home_account_id, entry));
    }
}

/// From its `refresh_on` a token is renewed although it is still valid, so that tokens are fresh
/// when an outage of the authority begins. The reference serves it until five minutes before its
/// end; with a record it renews it a second later.
pub(super) fn tokens_are_renewed_ahead_of_time(case: &mut Case<'_>) {
    let now = case.original.call.now;
    let challenged = case.original.call.claims.as_deref().is_some_and(|claims| !claims.trim().is_empty());
    let Some(request) = case.ours.requests.first().filter(|_| !challenged) else { return };
    let home = case.owner_of(request.field("refresh_token"));
    let document = case.given.content.document();
    let best = document.entries("AccessToken").iter().map(|(_, entry)| entry).find(|entry| fits(case, &home, entry));
    let due = best.filter(|entry| seconds(entry, "refresh_on").is_some_and(|time| time <= now));
    if let Some(due) = due {
        case.fallback = text(due, "secret").map(str::to_owned);
        keep(case, |case, entry| !fits(case, &home, entry));
    }
}

/// If the renewal fails for any reason, the cached token is served.
pub(super) fn a_failed_renewal_falls_back_to_the_cached_token(difference: &Difference, pair: &Pair<'_>) -> bool {
    *difference == Difference::Outcome
        && pair.case.fallback.as_deref().is_some_and(|token| token == pair.case.ours.outcome.token())
        && matches!(pair.theirs.outcome, Outcome::Error { .. })
        && !pair.case.ours.requests.is_empty()
}

/// Whether a call may be answered with a token, apart from rules that earlier improvements cover.
pub(super) fn fits(case: &Case<'_>, home: &str, entry: &Value) -> bool {
    let target: Vec<&str> = text_of(entry, "target").split(' ').collect();
    let recorded = || {
        is_of(entry, case.client())
            && case.is_alias(text_of(entry, "environment"))
            && case.tenant() == Tenant::Named(text_of(entry, "realm").to_owned())
    };
    text(entry, "home_account_id") == Some(home)
        && seconds(entry, "expires_on").is_some_and(|time| time > case.original.call.now + 300)
        && case.scopes().iter().all(|scope| target.contains(scope))
        && (case.record.is_none() || recorded())
}

/// Hides tokens that are not `good` from the reference. Expired tokens are not served anyway.
pub(super) fn keep(case: &mut Case<'_>, good: impl Fn(&Case<'_>, &Value) -> bool) {
    let now = case.original.call.now;
    case.hide("AccessToken", |case, entry| {
        seconds(entry, "expires_on").is_some_and(|expires_on| expires_on >= now) && !good(case, entry)
    });
}
