//! Scopes that MSAL adds to those of a call, where the reference has an authentication record.

use std::collections::BTreeSet;

use serde_json::Value;

use super::access_tokens::keep;
use crate::differential::case::Case;
use crate::differential::change::{Change, Changes};
use crate::differential::compare::{Difference, Pair};
use crate::differential::document::{key_of, seconds, text, text_of};
use crate::differential::situation::Request;

/// The scopes that MSAL always requests.
const ADDED: [&str; 3] = ["offline_access", "openid", "profile"];

/// A call may request any scope. The reference fails on those that it adds itself, unless a cached
/// token has them.
pub(super) fn any_scope_may_be_asked_for(case: &mut Case<'_>) {
    let asked = &case.given.call.scopes;
    let (added, left): (Vec<String>, _) = asked.iter().cloned().partition(|scope| ADDED.contains(&scope.as_str()));
    if case.record.is_some() && !added.is_empty() && !left.is_empty() {
        keep(case, |_, entry| {
            added.iter().all(|scope| text_of(entry, "target").split(' ').any(|cached| cached == scope))
        });
        case.given.call.scopes = left;
    }
}

/// The scopes in the reference's form, given an authentication record.
pub(super) fn add_scopes(request: &mut Request) {
    let scope = with_added(request.field("scope"));
    request.form.insert("scope".into(), scope);
}

/// The scopes of a call are sent unchanged, and a token is cached for them, as without a record.
/// The reference adds some and sorts them.
pub(super) fn no_scopes_are_added(difference: &Difference, pair: &Pair<'_>) -> bool {
    if pair.case.record.is_none() {
        return false;
    }
    match difference {
        Difference::Requests => pair.would_agree(add_scopes),
        Difference::Entry { section, key, ours, theirs } if section == "AccessToken" => {
            let (our_changes, their_changes) = (pair.our_changes(), pair.their_changes());
            // The new token replaces the entry under its key.
            let makes_way = |changes: &Changes, change: &Option<Change>| match change {
                None => true,
                Some(Change::Removed) => is_expired(pair, key) || is_in_the_way(pair, key, changes),
                Some(_) => false,
            };
            match (ours, theirs) {
                (Some(Change::Put(_, new)), other) => {
                    puts(&their_changes).any(|(_, theirs)| is_counterpart(new, theirs))
                        && makes_way(&their_changes, other)
                }
                (other, Some(Change::Put(_, new))) => {
                    puts(&our_changes).any(|(_, ours)| is_counterpart(ours, new)) && makes_way(&our_changes, other)
                }
                (Some(Change::Removed), None) => is_in_the_way(pair, key, &our_changes),
                (None, Some(Change::Removed)) => is_in_the_way(pair, key, &their_changes),
                _ => false,
            }
        }
        _ => false,
    }
}

fn puts(changes: &Changes) -> impl Iterator<Item = (&str, &Value)> {
    changes.iter().filter_map(|((section, _), change)| match change {
        Change::Put(key, entry) if section == "AccessToken" => Some((key.as_str(), entry)),
        _ => None,
    })
}

/// Whether the reference cached the same token for more scopes.
fn is_counterpart(ours: &Value, theirs: &Value) -> bool {
    let mut ours = ours.clone();
    let target = text(&ours, "target").map(with_added);
    if let (Some(fields), Some(target)) = (ours.as_object_mut(), target) {
        fields.insert("target".into(), target.into());
    }
    ours == *theirs
}

/// The entries that MSAL gives a key, with the keys that they have.
fn entries(pair: &Pair<'_>, key: &str) -> Vec<(String, Value)> {
    let document = pair.case.document();
    let all = document.entries("AccessToken").iter();
    all.filter(|(old, entry)| key_of("AccessToken", old, entry) == key).cloned().collect()
}

/// Whether a new token replaced an entry whose fields belong to another key.
fn is_in_the_way(pair: &Pair<'_>, key: &str, changes: &Changes) -> bool {
    entries(pair, key).iter().any(|(old, _)| puts(changes).any(|(new, _)| new.eq_ignore_ascii_case(old)))
}

fn is_expired(pair: &Pair<'_>, key: &str) -> bool {
    let now = pair.case.original.call.now;
    let expires_on = |entry: &Value| seconds(entry, "expires_on");
    entries(pair, key).iter().all(|(_, entry)| expires_on(entry).is_some_and(|time| time < now))
}

fn with_added(scopes: &str) -> String {
    let all: BTreeSet<&str> = scopes.split(' ').chain(ADDED).collect();
    all.into_iter().collect::<Vec<_>>().join(" ")
}
