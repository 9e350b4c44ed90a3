//! The choice of the account.

use serde_json::Value;

use crate::differential::case::{Case, home_tenant, host_of};
use crate::differential::compare::{Difference, Pair};
use crate::differential::document::text_of;

/// A refresh token of the credential's own client needs no family: since January 2026 sign-ins of the Azure CLI's client come
/// without one. The reference then reports an empty cache.
pub(super) fn the_own_client_needs_no_family(case: &mut Case<'_>) {
    if case.record.is_some() {
        return;
    }
    let own = case.client().to_owned();
    let Some(document) = case.document_mut() else { return };
    document.each("RefreshToken", |fields| {
        let client = fields.get("client_id").and_then(Value::as_str);
        if client.is_some_and(|client| client.eq_ignore_ascii_case(&own)) {
            fields.entry("family_id").or_insert_with(|| "1".into());
        }
    });
}

/// The username of an account comes from its home tenant's entry, else from the first entry. The
/// reference takes the last entry of any realm, which may be one without a username that a refresh
/// wrote.
pub(super) fn the_home_tenant_gives_the_username(case: &mut Case<'_>) {
    let document = case.given.content.document();
    let entries = document.entries("Account");
    let of = |home: &str| {
        let mine: Vec<&Value> = entries
            .iter()
            .map(|(_, entry)| entry)
            .filter(|entry| text_of(entry, "home_account_id") == home && case.is_alias(text_of(entry, "environment")))
            .filter(|entry| !text_of(entry, "username").is_empty())
            .collect();
        let is_home = |entry: &&&Value| {
            home_tenant(home).is_some_and(|tenant| tenant.eq_ignore_ascii_case(text_of(entry, "realm")))
        };
        let chosen = mine.iter().rev().find(is_home).or(mine.first());
        chosen.map(|entry| text_of(entry, "username").to_owned())
    };
    let names: Vec<Option<String>> = entries.iter().map(|(_, entry)| of(text_of(entry, "home_account_id"))).collect();
    let mut names = names.into_iter();
    let Some(document) = case.document_mut() else { return };
    document.each("Account", |fields| {
        if let Some(name) = names.next().flatten() {
            fields.insert("username".into(), name.into());
        }
    });
}

/// A username is compared without case, as Microsoft Entra ID compares it. The reference finds no such account.
pub(super) fn usernames_have_no_case(case: &mut Case<'_>) {
    let lower = |name: &str| Value::from(name.to_lowercase());
    if let Some(username) = case.given.options.username.as_mut() {
        *username = username.to_lowercase();
    }
    let Some(document) = case.document_mut() else { return };
    document.each("Account", |fields| {
        if let Some(name) = fields.get("username").and_then(Value::as_str).map(lower) {
            fields.insert("username".into(), name);
        }
    });
}

/// A home tenant is compared without case. The reference finds no such account.
pub(super) fn home_tenants_have_no_case(case: &mut Case<'_>) {
    let document = case.given.content.document();
    // Together with a record, the option is the tenant of the request.
    let Some(asked) = case.given.options.home_tenant.as_mut().filter(|_| case.record.is_none()) else { return };
    let mut tenants =
        document.entries("Account").iter().filter_map(|(_, entry)| home_tenant(text_of(entry, "home_account_id")));
    if let Some(tenant) = tenants.find(|tenant| tenant.eq_ignore_ascii_case(asked)) {
        tenant.clone_into(asked);
    }
}

/// An authority is a host, so its case has no meaning. The reference finds no cached environment
/// for it.
pub(super) fn authorities_have_no_case(case: &mut Case<'_>) {
    let options = &mut case.given.options;
    for authority in [&mut options.authority, &mut options.default_authority].into_iter().flatten() {
        let host = host_of(authority);
        if host != *authority && format!("https://{host}/") != *authority {
            *authority = host;
        }
    }
}

/// If several accounts match, or none, the error lists them. The reference computes the list and
/// drops it.
pub(super) fn the_accounts_to_choose_from_are_listed(difference: &Difference, pair: &Pair<'_>) -> bool {
    use crate::differential::situation::Outcome;

    let Outcome::Error { name, candidates, .. } = &pair.case.ours.outcome else { return false };
    let document = pair.case.given.content.document();
    let known = |candidate: &crate::case::Candidate| {
        document.entries("Account").iter().any(|(_, entry)| {
            text_of(entry, "username").eq_ignore_ascii_case(&candidate.username)
                && home_tenant(text_of(entry, "home_account_id")) == candidate.home_tenant_id.as_deref()
        })
    };
    *difference == Difference::Candidates
        && match name.as_str() {
            "multiple-accounts" | "multiple-matching-accounts" => candidates.len() > 1,
            name => name == "no-matching-account",
        }
        && candidates.iter().all(known)
}
