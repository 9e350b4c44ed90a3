//! Documents that are not JSON objects.
//!
//! The guest reports line and column of the damage, and nothing of a document that cannot be read may reach it: where strings
//! begin and end in it is anybody's guess. So it gets a stand-in, which is white space up to the place and damage of the same
//! sort there. Two numbers are all that it tells.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::json::SPACE;

pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Where a document ends to be one, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damage {
    sort: Sort,
    line: usize,
    column: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    NotUtf8,
    NotJson,
    NotAnObject,
}

impl Damage {
    /// The damage of `content`, which is known to have some. The place is the one that the guest's parser reports.
    pub(crate) fn of(content: &[u8]) -> Self {
        let text = match std::str::from_utf8(content) {
            Ok(text) => text,
            Err(error) => return Self::behind(Sort::NotUtf8, content.get(..error.valid_up_to()).unwrap_or_default()),
        };
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let leading = text.get(..text.len() - text.trim_start_matches(SPACE).len()).unwrap_or_default();
        let start = Self::behind(Sort::NotAnObject, leading.as_bytes());
        match serde_json::from_str::<Members>(text.trim_matches(SPACE)) {
            Err(error) if error.classify() == Category::Data => start,
            Err(error) => {
                let (line, column) = (error.line().max(1), error.column().max(1));
                let column = if line == 1 { start.column + column - 1 } else { column };
                Self { sort: Sort::NotJson, line: start.line + line - 1, column }
            }
            // The walker is never stricter than the parser.
            Ok(_) => Self { sort: Sort::NotJson, ..start },
        }
    }

    /// A text without any content that the guest's parser refuses for the same reason at the same place.
    pub(crate) fn stand_in(self) -> Vec<u8> {
        let mut text = vec![b'\n'; self.line - 1];
        text.resize(text.len() + self.column - 1, b' ');
        text.push(match self.sort {
            Sort::NotUtf8 => 0xFF,
            Sort::NotJson => b'!',
            Sort::NotAnObject => b'0',
        });
        text
    }

    fn behind(sort: Sort, bytes: &[u8]) -> Self {
        let line = bytes.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let column = bytes.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
        Self { sort, line, column }
    }
}

/// An object as the guest reads one: keys are text, values of any depth are skipped without recursion.
struct Members;

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                while map.next_key::<Text>()?.is_some() {
                    map.next_value::<&RawValue>()?;
                }
                Ok(Members)
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A string that has to be text: `IgnoredAny` would let half a surrogate pair pass.
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_str<E>(self, _: &str) -> Result<Text, E> {
                Ok(Text)
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use shared_token_cache_core::Document;

    use super::*;

    #[test]
    fn the_guest_finds_the_same_damage_at_the_same_place_and_nothing_else() {
        let cases: &[&[u8]] = &[
            b" ",
            b"\n\n",
            b"[1]",
            b"\r\n\t [\"hunter2\"]",
            b"\"hunter2\"",
            b"\"hunter2",
            b"7",
            b"-",
            b"null",
            b"nul",
            b"hunter2",
            b"{",
            b"{\n",
            b"{\"hunter2\"",
            b"{\n  \"a\": hunter2}",
            b"{\"a\": \"hunter2",
            b"{\"a\": {\"secret\": \"hunter2\", }}",
            b"{\"a\": {\"secret\": \"hunter2\n\"}}",
            b"{\"a\": {\"secret\": \"hunter2\\q\"}}",
            b"{\"a\": {\"secret\": \"hunter2\"}} hunter2",
            b"{\"\\ud800\": 1}",
            b"\n {\"a\": 01}",
            b"{\"a\":\n\"\xff\"}",
            b"\xff",
            b"\xef\xbb\xbf {",
            b"\xef\xbb\xbf{\"a\":\xff}",
            b"\xef\xbb\xbf\xef\xbb\xbf{}",
        ];
        for case in cases {
            let shown = String::from_utf8_lossy(case);
            let expected = Document::parse(case.to_vec()).unwrap_err();
            let stand_in = Damage::of(case).stand_in();
            assert!(stand_in.trim_ascii().len() <= 1, "{shown}");
            assert_eq!(Document::parse(stand_in).unwrap_err(), expected, "{shown}");
        }
    }
}
