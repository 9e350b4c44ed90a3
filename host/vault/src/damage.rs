//! Documents that are not UTF-8, or not JSON objects.
//!
//! The component reports line and column of the damage. No byte of a damaged document may reach it,
//! because the ends of its strings are uncertain. So it gets a stand-in: white space up to the
//! place, and there damage of the same sort. The stand-in reveals two numbers.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::json::SPACE;

pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The place of the first byte that is not UTF-8. The contract has an error for it, because it
/// carries documents as strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUtf8 {
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
}

impl NotUtf8 {
    /// The place after `valid`, the bytes before the first bad one.
    pub(crate) fn behind(valid: &[u8]) -> Self {
        let (line, column) = place_behind(valid);
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Self { line: number(line), column: number(column) }
    }
}

/// The place, counted from 1, where a text stops being a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damage {
    sort: Sort,
    line: usize,
    column: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    NotJson,
    NotAnObject,
}

impl Damage {
    /// Finds the damage of `content`, at the place that the component's parser reports.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let leading = text.get(..text.len() - text.trim_start_matches(SPACE).len()).unwrap_or_default();
        let (line, column) = place_behind(leading.as_bytes());
        let start = Self { sort: Sort::NotAnObject, line, column };
        match serde_json::from_str::<Members>(text.trim_matches(SPACE)) {
            Err(error) if error.classify() == Category::Data => start,
            Err(error) => {
                let (line, column) = (error.line().max(1), error.column().max(1));
                let column = if line == 1 { start.column + column - 1 } else { column };
                Self { sort: Sort::NotJson, line: start.line + line - 1, column }
            }
            // Unreachable: the walker accepts every text that the parser accepts.
            Ok(_) => Self { sort: Sort::NotJson, ..start },
        }
    }

    /// A text without content that the component's parser refuses for the same reason at the same
    /// place.
    pub(crate) fn stand_in(self) -> String {
        let damage = match self.sort {
            Sort::NotJson => '!',
            Sort::NotAnObject => '0',
        };
        format!("{}{}{damage}", "\n".repeat(self.line - 1), " ".repeat(self.column - 1))
    }
}

/// Line and column after `bytes`, both from 1.
fn place_behind(bytes: &[u8]) -> (usize, usize) {
    let line = bytes.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = bytes.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
    (line, column)
}

/// An object as the component reads it: keys are decoded, values of any depth are skipped without
/// recursion.
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

/// A string that must decode to text: `IgnoredAny` would accept half a surrogate pair.
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
    fn the_component_finds_the_same_damage_at_the_same_place_and_nothing_else() {
        let cases: &[&str] = &[
            " ",
            "\n\n",
            "[1]",
            "\r\n\t [\"hunter2\"]",
            "\"hunter2\"",
            "\"hunter2",
            "7",
            "-",
            "null",
            "nul",
            "hunter2",
            "{",
            "{\n",
            "{\"hunter2\"",
            "{\n  \"a\": hunter2}",
            "{\"a\": \"hunter2",
            "{\"a\": {\"secret\": \"hunter2\", }}",
            "{\"a\": {\"secret\": \"hunter2\n\"}}",
            "{\"a\": {\"secret\": \"hunter2\\q\"}}",
            "{\"a\": {\"secret\": \"hunter2\"}} hunter2",
            "{\"\\ud800\": 1}",
            "\n {\"a\": 01}",
            "\u{feff} {",
            "\u{feff}\u{feff}{}",
        ];
        for case in cases {
            let expected = Document::parse((*case).to_owned()).unwrap_err();
            let stand_in = Damage::of(case).stand_in();
            assert!(stand_in.trim().len() <= 1, "{case}");
            assert_eq!(Document::parse(stand_in).unwrap_err(), expected, "{case}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_counted_from_the_start_of_their_line() {
        for (valid, line, column) in [(&b""[..], 1, 1), (b"\xef\xbb\xbf{\"a\":", 1, 9), (b"{\"a\":\n\"", 2, 2)] {
            assert_eq!(NotUtf8::behind(valid), NotUtf8 { line, column }, "{valid:?}");
        }
    }
}
