//! Which member of a new object is which member of the old one.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::json::{Member, Object, decode};
use crate::refused::Refused;

/// A text and one of its objects.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) text: &'a str,
    pub(super) object: &'a Object,
}

/// What became of a member. The steps are in the order of the new object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// Key, value and the white space before them are the same to the byte.
    Kept {
        old: &'a Member,
        new: &'a Member,
    },
    /// The value differs, or the key is written in another case.
    Changed {
        old: &'a Member,
        new: &'a Member,
    },
    /// A member behind all old ones.
    Added {
        new: &'a Member,
    },
    Removed {
        old: &'a Member,
    },
}

/// How many members with equal keys are looked at to find one that was kept. MSAL's documents have one.
const MOST_EQUAL_KEYS: usize = 16;

impl<'a> Side<'a> {
    pub(super) fn of(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    /// What is in front of the object.
    pub(super) fn before(&self) -> &'a str {
        self.of(0..self.object.open)
    }

    /// What is behind the object.
    pub(super) fn behind(&self) -> &'a str {
        self.text.get(self.object.end..).unwrap_or_default()
    }

    pub(super) fn value(&self, member: &Member) -> &'a str {
        self.of(member.value.clone())
    }

    pub(super) fn key(&self, member: &Member) -> Cow<'a, str> {
        let literal = self.of(member.key.clone());
        decode(literal).unwrap_or(Cow::Borrowed(literal))
    }

    fn folded(&self, member: &Member) -> String {
        self.key(member).to_ascii_lowercase()
    }
}

/// Aligns two objects. Members that are in both keep their order, new ones follow behind all old ones, and no key, compared
/// without case, is there twice that was not.
pub(super) fn align<'a>(old: Side<'a>, new: Side<'a>) -> Result<Vec<Step<'a>>, Refused> {
    let (before, now) = (&old.object.members, &new.object.members);
    let same =
        |one: &Member, other: &Member| old.of(one.head()) == new.of(other.head()) && old.value(one) == new.value(other);
    let mut steps = Vec::with_capacity(now.len() + 1);
    let mut by_key: Option<HashMap<String, Vec<usize>>> = None;
    let mut taken = vec![false; before.len()];
    let mut added = HashSet::new();
    let mut next = 0;
    for member in now {
        let mut found = before.get(next).filter(|kept| added.is_empty() && same(kept, member)).map(|_| next);
        if found.is_none() {
            let by_key = by_key.get_or_insert_with(|| {
                let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
                for (number, member) in before.iter().enumerate() {
                    by_key.entry(old.folded(member)).or_default().push(number);
                }
                by_key
            });
            let key = new.folded(member);
            let twins = by_key.get(&key).map(Vec::as_slice).unwrap_or_default();
            if added.is_empty() {
                let ahead = twins.get(twins.partition_point(|number| *number < next)..).unwrap_or_default();
                let mut looked_at = ahead.iter().take(MOST_EQUAL_KEYS);
                let kept = looked_at.find(|number| before.get(**number).is_some_and(|twin| same(twin, member)));
                found = kept.or(ahead.first()).copied();
            }
            if found.is_none() {
                let is_taken = |number: &usize| taken.get(*number).copied().unwrap_or_default();
                if twins.iter().any(is_taken) || !added.insert(key) {
                    return Err(Refused::ChangedDocument);
                }
                steps.push(Step::Added { new: member });
                continue;
            }
        }
        let Some((number, kept)) = found.and_then(|number| Some((number, before.get(number)?))) else {
            return Err(Refused::ChangedDocument);
        };
        steps.extend(before.get(next..number).unwrap_or_default().iter().map(|old| Step::Removed { old }));
        if let Some(taken) = taken.get_mut(number) {
            *taken = true;
        }
        next = number + 1;
        steps.push(if same(kept, member) {
            Step::Kept { old: kept, new: member }
        } else {
            Step::Changed { old: kept, new: member }
        });
    }
    steps.extend(before.get(next..).unwrap_or_default().iter().map(|old| Step::Removed { old }));
    Ok(steps)
}
