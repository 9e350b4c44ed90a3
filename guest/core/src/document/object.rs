//! A JSON object as text: its members can be replaced, added and removed while every other byte
//! stays as it was.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json::quoted;

/// A JSON object, split into its members.
pub(crate) struct Object<'a> {
    members: Vec<Member<'a>>,
    /// The white space before the closing brace.
    tail: &'a str,
    /// Whether members were added at the end.
    grown: bool,
}

/// A member of an [`Object`].
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    /// White space, key and colon.
    head: Cow<'a, str>,
    pub(crate) value: Cow<'a, str>,
    /// White space before the comma.
    trail: &'a str,
}

impl<'a> Object<'a> {
    /// Splits `text`, which may have white space around the object.
    pub(crate) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        let text = text.trim_matches(is_json_space);
        let pairs: Pairs<'a> = serde_json::from_str(text)?;
        let mut rest = text.get(1..).unwrap_or_default();
        let mut members = Vec::with_capacity(pairs.0.len());
        for (key, value) in pairs.0 {
            // `value` borrows from `text`, so its address is the end of the member's head.
            let start = (value.get().as_ptr() as usize).saturating_sub(rest.as_ptr() as usize);
            let (head, from_value) = rest.split_at_checked(start).unwrap_or((rest, ""));
            let after = from_value.get(value.get().len()..).unwrap_or_default();
            let next = after.trim_start_matches(is_json_space);
            let (trail, next) = match next.strip_prefix(',') {
                Some(next) => (after.get(..after.len() - next.len() - 1).unwrap_or_default(), next),
                None => ("", after),
            };
            rest = next;
            members.push(Member { key, head: Cow::Borrowed(head), value: Cow::Borrowed(value.get()), trail });
        }
        Ok(Self { members, tail: rest.strip_suffix('}').unwrap_or_default(), grown: false })
    }

    pub(crate) fn empty() -> Self {
        Self { members: Vec::new(), tail: "", grown: false }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|member| (&*member.key, &*member.value))
    }

    /// The value of `key`. Of duplicate keys the last one counts, as in JSON parsers.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.members.iter().rev().find(|member| member.key == key).map(|member| &*member.value)
    }

    /// Replaces the value of `key`, or adds the member at the end.
    pub(crate) fn set(&mut self, key: &str, value: String, layout: &Layout, depth: usize) {
        match self.members.iter_mut().rev().find(|member| member.key == key) {
            Some(member) => member.value = Cow::Owned(value),
            None => self.push(key, value, layout, depth),
        }
    }

    /// [`Self::set`] for text on one line.
    pub(crate) fn set_compact(&mut self, key: &str, value: &str) {
        self.set(key, value.to_owned(), &Layout { lines: None }, 0);
    }

    /// [`Self::to_text`] for text on one line.
    pub(crate) fn to_compact_text(&self) -> String {
        self.to_text(&Layout { lines: None }, 0)
    }

    /// Applies `edit` to every member.
    pub(crate) fn retain_map(&mut self, mut edit: impl FnMut(&str, &str) -> Kept) {
        self.members.retain_mut(|member| match edit(&member.key, &member.value) {
            Kept::AsIs => true,
            Kept::Replaced(value) => {
                member.value = Cow::Owned(value);
                true
            }
            Kept::Removed => false,
        });
        if self.members.is_empty() {
            self.tail = "";
        }
    }

    /// Sets the member `key` to a value made from its present one, or from `{}`. Keys are compared
    /// without case: the exact match wins, else the first match is renamed. Members whose key
    /// differs only in case are removed.
    pub(crate) fn upsert(&mut self, key: &str, layout: &Layout, depth: usize, value: impl FnOnce(&str) -> String) {
        let exact = self.members.iter().position(|member| member.key == key);
        let found = exact.or_else(|| self.members.iter().position(|member| member.key.eq_ignore_ascii_case(key)));
        let Some(member) = found.and_then(|at| self.members.get_mut(at)) else {
            return self.push(key, value("{}"), layout, depth);
        };
        member.value = Cow::Owned(value(&member.value));
        if exact.is_none() {
            let space = member.head.len() - member.head.trim_start_matches(is_json_space).len();
            let space = member.head.get(..space).unwrap_or_default();
            member.head = Cow::Owned(format!("{space}{}:{}", quoted(key), layout.after_colon()));
            member.key = Cow::Owned(key.to_owned());
        }
        self.members.retain(|member| member.key == key || !member.key.eq_ignore_ascii_case(key));
    }

    pub(crate) fn push(&mut self, key: &str, value: String, layout: &Layout, depth: usize) {
        let head = format!("{}{}:{}", layout.line(depth), quoted(key), layout.after_colon());
        let key = Cow::Owned(key.to_owned());
        self.members.push(Member { key, head: Cow::Owned(head), value: Cow::Owned(value), trail: "" });
        self.grown = true;
    }

    /// The object as text, `depth` levels below the root.
    pub(crate) fn to_text(&self, layout: &Layout, depth: usize) -> String {
        let length_of = |member: &Member<'_>| member.head.len() + member.value.len() + member.trail.len() + 1;
        let length: usize = self.members.iter().map(length_of).sum();
        let mut text = String::with_capacity(length + self.tail.len() + 2);
        text.push('{');
        for (position, member) in self.members.iter().enumerate() {
            if position > 0 {
                text.push(',');
            }
            text.push_str(&member.head);
            text.push_str(&member.value);
            text.push_str(member.trail);
        }
        if self.tail.is_empty() && self.grown && !self.members.is_empty() {
            text.push_str(&layout.line(depth));
        } else {
            text.push_str(self.tail);
        }
        text.push('}');
        text
    }
}

/// The result of an edit for one member.
pub(crate) enum Kept {
    AsIs,
    Replaced(String),
    Removed,
}

/// The white space of a document, so that added members look like the existing ones.
pub(crate) struct Layout {
    /// The line break and the indentation of one level; `None` for a document on one line.
    lines: Option<(&'static str, String)>,
}

impl Layout {
    /// Reads the layout off the white space between `{` and the first key.
    pub(crate) fn of(text: &str) -> Self {
        let inner = text.trim_start_matches(is_json_space).strip_prefix('{').unwrap_or_default();
        let space = inner.get(..inner.len() - inner.trim_start_matches(is_json_space).len()).unwrap_or_default();
        let lines = space.rsplit_once('\n').map(|(before, indent)| {
            let line_break = if before.ends_with('\r') { "\r\n" } else { "\n" };
            (line_break, indent.to_owned())
        });
        Self { lines }
    }

    /// The layout of MSAL for Python: one line per member, four spaces per level.
    pub(crate) fn msal() -> Self {
        Self { lines: Some(("\n", "    ".into())) }
    }

    fn line(&self, depth: usize) -> String {
        self.lines
            .as_ref()
            .map(|(line_break, indent)| format!("{line_break}{}", indent.repeat(depth)))
            .unwrap_or_default()
    }

    fn after_colon(&self) -> &'static str {
        if self.lines.is_some() { " " } else { "" }
    }
}

fn is_json_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// The members of an object in order. `RawValue` skips values of any depth without recursion.
struct Pairs<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    pairs.push((key, map.next_value()?));
                }
                Ok(pairs)
            }
        }

        deserializer.deserialize_map(PairsVisitor).map(Pairs)
    }
}

/// Borrows where the text has no escapes; deserializing a plain `Cow` always copies.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_is_not_edited_keeps_every_byte() {
        for text in [
            "{}",
            "{ }",
            "{\"a\":1}",
            "{ \"a\" : 1 , \"b\" : [ 1 , {} ] }",
            "{\r\n  \"\\u0061\\n\": \"\\\"}\",\r\n  \"b\": null\r\n}",
            "{\n  \"a\": 1}",
        ] {
            let object = Object::parse(text).unwrap();
            assert_eq!(object.to_text(&Layout::of(text), 0), text);
        }
    }

    #[test]
    fn members_are_replaced_added_and_removed_in_the_layout_of_the_document() {
        let text = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}";
        let layout = Layout::of(text);
        let mut object = Object::parse(text).unwrap();
        object.set("b", "20".into(), &layout, 1);
        object.set("d", "4".into(), &layout, 1);
        object.retain_map(|key, _| if key == "a" { Kept::Removed } else { Kept::AsIs });
        assert_eq!(object.to_text(&layout, 0), "{\n  \"b\": 20,\n  \"c\": 3,\n  \"d\": 4\n}");
    }

    #[test]
    fn an_empty_object_is_filled_and_an_object_emptied() {
        let layout = Layout::msal();
        let mut object = Object::parse("{}").unwrap();
        object.set("a", "1".into(), &layout, 1);
        assert_eq!(object.to_text(&layout, 0), "{\n    \"a\": 1\n}");
        object.retain_map(|_, _| Kept::Removed);
        assert_eq!(object.to_text(&layout, 0), "{}");
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(Object::parse("{\"a\":1,\"a\":2}").unwrap().get("a"), Some("2"));
    }
}
