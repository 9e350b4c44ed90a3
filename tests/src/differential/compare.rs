//! The differences between the two sides.

use std::collections::BTreeMap;

use serde_json::Value;

use super::case::Case;
use super::change::{Change, Changes, changes};
use super::situation::{Content, Outcome, Ran, Request};

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Difference {
    /// The outcomes differ.
    Outcome,
    /// Only ours has details of an OAuth 2.0 error.
    OAuth,
    /// Only ours has the accounts to choose from.
    Candidates,
    /// The posted forms differ.
    Requests,
    /// The changes of an entry differ.
    Entry {
        /// The section.
        section: String,
        /// MSAL's key of the entry.
        key: String,
        /// The change of ours; `None` if ours left the entry alone.
        ours: Option<Change>,
        /// The change of the reference.
        theirs: Option<Change>,
    },
}

/// A call on both sides.
pub(crate) struct Pair<'a> {
    /// The input of ours with its outcome, and the input of the reference.
    pub(crate) case: &'a Case<'a>,
    /// The outcome of the reference.
    pub(crate) theirs: &'a Ran,
}

impl Pair<'_> {
    /// The changes by ours.
    pub(crate) fn our_changes(&self) -> Changes {
        let (mut before, after) = (self.case.original.content.clone(), Content::of(self.case.ours.document.as_deref()));
        // An invalid entry is replaced by a new one with its key. It is not part of the reference's
        // input.
        if let (Content::Document(before), Content::Document(after)) = (&mut before, &after) {
            for (section, skipped) in &self.case.skipped {
                let taken = after.entries(section).iter().find(|(key, _)| key.eq_ignore_ascii_case(skipped));
                let entries = before.entries_mut(section).into_iter();
                entries.for_each(|entries| {
                    entries.retain(|(key, entry)| key != skipped || taken.is_none_or(|(_, new)| new == entry));
                });
            }
        }
        changes(&before, &after)
    }

    /// The changes by the reference.
    pub(crate) fn their_changes(&self) -> Changes {
        changes(&self.case.given.content, &Content::of(self.theirs.document.as_deref()))
    }

    /// All differences.
    pub(crate) fn differences(&self) -> Vec<Difference> {
        let mut differences = Vec::new();
        if !same_outcome(&self.case.ours.outcome, &self.theirs.outcome) {
            differences.push(Difference::Outcome);
        } else if let Outcome::Error { oauth, candidates, .. } = &self.case.ours.outcome {
            let more = oauth.as_ref().is_some_and(|oauth| {
                oauth.suberror.is_some() || oauth.claims.is_some() || !oauth.error_codes.is_empty()
            });
            differences.extend(more.then_some(Difference::OAuth));
            differences.extend((!candidates.is_empty()).then_some(Difference::Candidates));
        }
        if self.sent().map(comparable).collect::<Vec<_>>()
            != self.theirs.requests.iter().map(comparable).collect::<Vec<_>>()
        {
            differences.push(Difference::Requests);
        }
        differences.extend(entries(self.our_changes(), self.their_changes()));
        differences
    }

    /// The requests of ours that the reference has to send as well.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &Request> {
        self.case.ours.requests.iter().filter(|request| !self.is_hidden(request))
    }

    /// Whether the requests are equal after this change of ours.
    pub(crate) fn would_agree(&self, change: impl Fn(&mut Request)) -> bool {
        let mut sent: Vec<_> = self.sent().cloned().collect();
        sent.iter_mut().for_each(change);
        sent.iter().map(comparable).eq(self.theirs.requests.iter().map(comparable))
    }

    fn is_hidden(&self, request: &Request) -> bool {
        self.case.hidden.iter().any(|secret| secret == request.field("refresh_token"))
    }
}

fn same_outcome(ours: &Outcome, theirs: &Outcome) -> bool {
    match (ours, theirs) {
        (Outcome::Token { .. }, Outcome::Token { .. }) => ours == theirs,
        (Outcome::Error { name, oauth, .. }, Outcome::Error { name: other, message, .. }) => {
            let other = if other == "raised ValueError" { "invalid-argument" } else { other };
            // The reference has the error's code in its text.
            name == other && oauth.as_ref().is_none_or(|oauth| message.contains(&oauth.code))
        }
        _ => false,
    }
}

/// Compares the claims as JSON, where white space and order have no meaning.
pub(crate) fn comparable(request: &Request) -> (&str, BTreeMap<&str, &str>, Value) {
    let claims = request.field("claims");
    let claims = serde_json::from_str(claims).unwrap_or_else(|_| Value::from(claims));
    let rest = request.form.iter().filter(|(name, _)| *name != "claims");
    (&request.url, rest.map(|(name, value)| (&**name, &**value)).collect(), claims)
}

fn entries(mut ours: Changes, theirs: Changes) -> Vec<Difference> {
    let mut all: BTreeMap<_, (Option<Change>, Option<Change>)> = BTreeMap::new();
    for (place, change) in theirs {
        all.insert(place.clone(), (ours.remove(&place), Some(change)));
    }
    all.extend(ours.into_iter().map(|(place, change)| (place, (Some(change), None))));
    let differing = all.into_iter().filter(|(_, (ours, theirs))| ours != theirs);
    differing.map(|((section, key), (ours, theirs))| Difference::Entry { section, key, ours, theirs }).collect()
}
