use std::ops::Range;

use crate::document::Document;
use crate::json::{Member, Object, decode, is_space};
use crate::refused::Refused;

/// The limit of white space around a new member. A cache is indented by a few characters a level.
const LONGEST_SPACE: usize = 1024;

/// The old document and the new one.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    pub(super) original: &'a Document,
    /// The original with its secrets.
    pub(super) old: &'a str,
    /// The new document with handles.
    pub(super) new: &'a str,
}

/// The differences between two objects.
pub(super) struct Changes<'o, 'n> {
    pub(super) kept: Vec<(&'o Member, &'n Member)>,
    /// Members with another value, or under another spelling of the same key.
    pub(super) replaced: Vec<(&'o Member, &'n Member)>,
    pub(super) removed: Vec<&'o Member>,
    /// New members, behind all old ones.
    pub(super) added: Vec<&'n Member>,
}

/// How keys are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    Exact,
    /// MSAL for Go wrote mixed-case keys before 1.1.
    AnyCase,
}

impl<'a> Texts<'a> {
    pub(super) fn of_old(&self, range: &Range<usize>) -> &'a str {
        self.old.get(range.clone()).unwrap_or_default()
    }

    pub(super) fn of_new(&self, range: &Range<usize>) -> &'a str {
        self.new.get(range.clone()).unwrap_or_default()
    }

    /// Whether a value is unchanged, byte for byte.
    pub(super) fn is_kept(&self, old: &Range<usize>, new: &Range<usize>) -> bool {
        self.original.seals_to(old, self.of_new(new))
    }

    /// Compares two objects member by member, in order, in linear time. Members that are kept must
    /// be the same byte for byte, with the white space around them.
    pub(super) fn changes<'o, 'n>(
        &self,
        old: &'o Object,
        new: &'n Object,
        keys: Keys,
    ) -> Result<Changes<'o, 'n>, Refused> {
        let mut changes = Changes { kept: Vec::new(), replaced: Vec::new(), removed: Vec::new(), added: Vec::new() };
        let mut rest = new.members.iter();
        // The white space after the last member that is left.
        let mut trail = "";
        for before in &old.members {
            let Some(now) = rest.as_slice().first() else {
                changes.removed.push(before);
                continue;
            };
            let same_head = self.of_old(&before.head) == self.of_new(&now.head);
            if same_head && self.is_kept(&before.value, &now.value) {
                changes.kept.push((before, now));
            } else if self.is_same_key(before, now, keys) && (same_head || keys == Keys::AnyCase) {
                changes.replaced.push((before, now));
            } else {
                changes.removed.push(before);
                continue;
            }
            rest.next();
            trail = self.of_old(&before.trail);
            // The last member's is part of the tail.
            if !rest.as_slice().is_empty() && self.of_new(&now.trail) != trail {
                return Err(Refused::ChangedElsewhere("white space"));
            }
        }
        if !rest.as_slice().is_empty() {
            trail = "";
        }
        changes.added.extend(rest);
        self.check_tail(old, new, &changes, trail)?;
        self.check_heads(&changes)?;
        Ok(changes)
    }

    /// Checks the white space before the closing brace. It must be the old one, unless a new or
    /// removed member changes the layout.
    fn check_tail(&self, old: &Object, new: &Object, changes: &Changes<'_, '_>, trail: &str) -> Result<(), Refused> {
        let (before, now) = (self.of_old(&old.tail), self.of_new(&new.tail));
        if now.strip_prefix(trail) == Some(before) {
            return Ok(());
        }
        let has_new = !changes.added.is_empty() || !changes.replaced.is_empty();
        let may_differ = if new.members.is_empty() {
            !changes.removed.is_empty() && now.is_empty()
        } else {
            has_new && (changes.kept.is_empty() || before.is_empty()) && is_short_space(now)
        };
        if may_differ { Ok(()) } else { Err(Refused::ChangedElsewhere("white space")) }
    }

    fn check_heads(&self, changes: &Changes<'_, '_>) -> Result<(), Refused> {
        let replaced = changes.replaced.iter();
        let spelled_anew =
            replaced.filter(|(before, now)| self.of_old(&before.head) != self.of_new(&now.head)).map(|(_, now)| *now);
        for now in spelled_anew.chain(changes.added.iter().copied()) {
            let (before, behind) = (now.head.start..now.key.start, now.key.end..now.head.end);
            let around_colon = self.of_new(&behind).split_once(':');
            let is_new_head = is_short_space(self.of_new(&before))
                && around_colon.is_some_and(|(before, behind)| is_short_space(before) && is_short_space(behind));
            if !is_new_head || !is_short_space(self.of_new(&now.trail)) {
                return Err(Refused::ChangedElsewhere("white space"));
            }
        }
        Ok(())
    }

    fn is_same_key(&self, before: &Member, now: &Member, keys: Keys) -> bool {
        let (Some(before), Some(now)) = (decode(self.of_old(&before.key)), decode(self.of_new(&now.key))) else {
            return false;
        };
        before == now || (keys == Keys::AnyCase && before.eq_ignore_ascii_case(&now))
    }
}

fn is_short_space(text: &str) -> bool {
    text.len() <= LONGEST_SPACE && is_space(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::Sealer;

    /// The numbers of kept, replaced, removed and added members.
    fn compare(old: &str, new: &str, keys: Keys) -> Result<[usize; 4], Refused> {
        let sealer = Sealer::new().unwrap();
        let content = zeroize::Zeroizing::new(old.to_owned());
        let original = Document::read(&sealer, "msal.cache.nocae", "1", content).unwrap().unwrap();
        let texts = Texts { original: &original, old, new };
        let cut = |text: &str| Object::cut(text, 0..text.len()).unwrap();
        let (before, now) = (cut(old), cut(new));
        let changes = texts.changes(&before, &now, keys)?;
        Ok([changes.kept.len(), changes.replaced.len(), changes.removed.len(), changes.added.len()])
    }

    #[test]
    fn white_space_stays_and_is_removed_with_its_member() {
        use Keys::{AnyCase, Exact};
        for (what, old, new, keys, expected) in [
            (
                "nothing has changed",
                "{ \"a\":{} , \"b\" : {}\n}",
                "{ \"a\":{} , \"b\" : {}\n}",
                Exact,
                Some([2, 0, 0, 0]),
            ),
            ("the last is removed", "{\"a\":{} ,\"b\":{}\n}", "{\"a\":{} \n}", Exact, Some([1, 0, 1, 0])),
            ("... without what was before its comma", "{\"a\":{} ,\"b\":{}\n}", "{\"a\":{}\n}", Exact, None),
            ("the first is removed", "{\"a\":{} ,\"b\":{}\n}", "{\"b\":{}\n}", Exact, Some([1, 0, 1, 0])),
            (
                "one gives its place to another",
                "{\"a\":{} ,\"b\":{}\n}",
                "{\"a\":{} ,\"c\":{}\n}",
                Exact,
                Some([1, 0, 1, 1]),
            ),
            ("... and the brace moves", "{\"a\":{} ,\"b\":{}\n}", "{\"a\":{} ,\"c\":{} \n}", Exact, None),
            ("one is added", "{\"a\":{}\n}", "{\"a\":{},\"b\":{}\n}", Exact, Some([1, 0, 0, 1])),
            ("... and the brace moves", "{\"a\":{}\n}", "{\"a\":{},\"b\":{}}", Exact, None),
            ("... on a line of its own", "{\"a\":{}}", "{\"a\":{},\n\"b\":{}\n}", Exact, Some([1, 0, 0, 1])),
            ("... first", "{\n}", "{\"a\":{} }", Exact, Some([0, 0, 0, 1])),
            ("all are removed", "{\"a\":{}\n}", "{\n}", Exact, Some([0, 0, 1, 0])),
            ("... with the line break", "{\"a\":{}\n}", "{}", Exact, Some([0, 0, 1, 0])),
            ("... and the brace moves", "{\"a\":{}}", "{ }", Exact, None),
            ("none was there, and the brace moves", "{\n}", "{}", Exact, None),
            ("only the brace moves", "{\"a\":{}}", "{\"a\":{}\n}", Exact, None),
            ("one is replaced", "{\"a\":{}}", "{\"a\":{\"x\":{}}}", Exact, Some([0, 1, 0, 0])),
            ("... and its comma moves", "{\"a\":{},\"b\":{}}", "{\"a\":{\"x\":{}} ,\"b\":{}}", Exact, None),
            (
                "... under another spelling",
                "{\"A\":{},\"b\":{}}",
                "{ \"a\" : {},\"b\":{}}",
                AnyCase,
                Some([1, 1, 0, 0]),
            ),
            ("... which is another key", "{\"A\":{}}", "{\"a\":{}}", Exact, Some([0, 0, 1, 1])),
        ] {
            assert_eq!(compare(old, new, keys).ok(), expected, "{what}: {old} {new}");
        }
    }

    #[test]
    fn white_space_around_a_new_member_is_limited() {
        let (short, long) = (" ".repeat(LONGEST_SPACE), "\t".repeat(LONGEST_SPACE + 1));
        for (old, new, keys) in [
            ("{\"x\":{}}", "{\"x\":{},SPACE\"y\":{}}", Keys::Exact),
            ("{\"x\":{}}", "{\"x\":{},\"y\"SPACE:{}}", Keys::Exact),
            ("{\"x\":{}}", "{\"x\":{},\"y\":SPACE{}}", Keys::Exact),
            ("{\"x\":{}}", "{\"x\":{},\"y\":{}SPACE,\"z\":{}}", Keys::Exact),
            ("{\"x\":{}}", "{\"x\":{},\"y\":{}SPACE}", Keys::Exact),
            ("{\"X\":{}}", "{SPACE\"x\":{}}", Keys::AnyCase),
        ] {
            let with = |space: &str| compare(old, &new.replace("SPACE", space), keys);
            assert!(with("").is_ok() && with(&short).is_ok(), "{new}");
            assert_eq!(with(&long).err(), Some(Refused::ChangedElsewhere("white space")), "{new}");
        }
        // Old white space may have any length.
        let old = format!("{{{long}\"x\"{long}:{long}{{}}{long}}}");
        assert_eq!(compare(&old, &old.replace("{}", "{\"y\":{}}"), Keys::AnyCase), Ok([0, 1, 0, 0]));
    }
}
