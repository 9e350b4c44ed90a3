//! In what the two sides differ.

use std::collections::BTreeMap;

use serde_json::Value;

use super::case::Case;
use super::change::{Change, Changes, changes};
use super::situation::{Content, Outcome, Ran, Request};

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Difference {
    /// What came of the call.
    Outcome,
    /// Details of an OAuth 2.0 error that only ours has.
    OAuth,
    /// The accounts to choose from, which only ours has.
    Candidates,
    /// The forms that were posted.
    Requests,
    /// What became of an entry.
    Entry {
        /// The section.
        section: String,
        /// The key that MSAL gives to the entry.
        key: String,
        /// Ours; `None` when ours left it alone.
        ours: Option<Change>,
        /// The reference's.
        theirs: Option<Change>,
    },
}

/// A call on both sides.
pub(crate) struct Pair<'a> {
    /// What ours was given and made of it, and what the reference was given.
    pub(crate) case: &'a Case<'a>,
    /// What came of that.
    pub(crate) theirs: &'a Ran,
}

impl Pair<'_> {
    /// What ours did to the cache.
    pub(crate) fn our_changes(&self) -> Changes {
        let (mut before, after) = (self.case.original.content.clone(), Content::of(self.case.ours.document.as_deref()));
        // What is no entry makes way for one with its key. The reference was not even given it.
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

    /// What the reference did to it.
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

    /// Whether the requests would be the same if this had been done to ours.
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

/// The claims are compared as JSON: white space and order mean nothing there.
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
