use std::borrow::Cow;
use std::ops::Range;

use shared_token_cache_entra::schema::field;

use super::changes::Texts;
use super::sections::Written;
use crate::handle::{Handle, Kind, contains_handle};
use crate::json::{Member, Object, decode};
use crate::json_literal::{self, Form, Literal};
use crate::refused::Refused;

/// The size limit of a new entry with its key, besides its secret. The longest field lists the
/// requested scopes, and so does the key.
pub(super) const LARGEST_ENTRY: usize = 16 << 10;

/// The number of digits of 2⁶⁴.
const LONGEST_NUMBER: usize = 20;

/// The fields of a new entry: all are text, known and distinct.
pub(super) struct Fields<'a> {
    section: Written,
    fields: Vec<(&'static str, Cow<'a, str>, Range<usize>)>,
}

impl<'a> Fields<'a> {
    /// Parses the member of a new entry.
    pub(super) fn of(
        texts: &Texts<'a>,
        section: Written,
        member: &Member,
        known: &[&'static str],
    ) -> Result<Self, Refused> {
        let refused = |why| Refused::NewEntry { section: section.name(), why };
        if member.value.end - member.head.start > LARGEST_ENTRY {
            return Err(refused("is larger than any entry has to be"));
        }
        let object = Object::cut(texts.new, member.value.clone()).ok_or(refused("is not an object"))?;
        let mut entry = Self { section, fields: Vec::with_capacity(known.len()) };
        for member in &object.members {
            let literal = texts.of_new(&member.key);
            let name = literal.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or_default();
            let name = known.iter().find(|known| **known == name).ok_or(refused("has a field that no entry has"))?;
            if entry.get(name).is_some() {
                return Err(Refused::RepeatedMember);
            }
            let value = decode(texts.of_new(&member.value)).ok_or(refused("has a field that is not text"))?;
            if *name != field::SECRET && contains_handle(&value) {
                return Err(Refused::HandleElsewhere);
            }
            entry.fields.push((name, value, member.value.clone()));
        }
        Ok(entry)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, ..)| *known == name).map(|(_, value, _)| &**value)
    }

    /// A required field.
    pub(super) fn text(&self, name: &'static str) -> Result<&str, Refused> {
        self.get(name).filter(|text| !text.is_empty()).ok_or_else(|| self.refused("lacks a field that every entry has"))
    }

    /// An optional field that is a count of seconds.
    pub(super) fn seconds(&self, name: &str) -> Result<Option<u64>, Refused> {
        let Some(text) = self.get(name) else { return Ok(None) };
        seconds(text).map(Some).ok_or_else(|| self.refused("has a time that is not a number"))
    }

    /// The handle in the field `secret`, and its position.
    pub(super) fn secret(&self, texts: &Texts<'_>, kind: Kind) -> Result<(Handle, &Range<usize>), Refused> {
        let place = self.fields.iter().find(|(name, ..)| *name == field::SECRET).map(|(_, _, place)| place);
        let place = place.ok_or_else(|| self.refused("has no secret"))?;
        match json_literal::read(texts.of_new(place)) {
            Literal::Nothing => Err(self.refused("has no secret")),
            Literal::Sealed(handle, Form::Text) if handle.kind == kind => Ok((handle, place)),
            Literal::Sealed(handle, _) => Err(Refused::WrongKind(handle.kind)),
            Literal::Plain => Err(Refused::PlainSecret),
        }
    }

    pub(super) fn refused(&self, why: &'static str) -> Refused {
        Refused::NewEntry { section: self.section.name(), why }
    }
}

/// Parses a count of seconds in MSAL's format.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let is_number = text.len() <= LONGEST_NUMBER && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_digits_and_no_more_than_a_count_has() {
        let long = format!("{}7", "0".repeat(LONGEST_NUMBER));
        for (text, expected) in [
            ("0", Some(0)),
            ("4102444800", Some(4_102_444_800)),
            ("18446744073709551615", Some(u64::MAX)),
            ("00000000000000000007", Some(7)),
            ("18446744073709551616", None),
            (&long, None),
            ("+7", None),
            ("-7", None),
            (" 7", None),
            ("7.0", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }
}
