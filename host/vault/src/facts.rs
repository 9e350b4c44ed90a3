use std::borrow::Cow;

use shared_token_cache_entra::schema::Section;
use shared_token_cache_entra::token::is_bearer;

use crate::index::{Entry, Field};
use crate::json::{decode, seconds};

/// The fields of an entry, decoded.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    json: &'a str,
    entry: &'a Entry,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(json: &'a str, entry: &'a Entry) -> Option<Self> {
        (!entry.ambiguous).then_some(Self { json, entry })
    }

    /// A field that is text. A field of another type counts as missing.
    pub(crate) fn text(&self, field: Field) -> Option<Cow<'a, str>> {
        decode(self.entry.raw(self.json, field)?)
    }

    pub(crate) fn seconds(&self, field: Field) -> Option<u64> {
        seconds(self.entry.raw(self.json, field)?)
    }

    pub(crate) fn has(&self, field: Field) -> bool {
        self.entry.raw(self.json, field).is_some()
    }

    /// Whether the token is a bearer token that is not bound to a key or a user assertion.
    pub(crate) fn is_plain_bearer(&self) -> bool {
        let bearer = !self.has(Field::TokenType) || self.text(Field::TokenType).is_some_and(|kind| is_bearer(&kind));
        bearer && ![Field::KeyId, Field::UserAssertionHash].iter().any(|field| self.has(*field))
    }

    /// Whether the token has exactly this extended cache key, or none.
    pub(crate) fn has_extended_key(&self, key: Option<&str>) -> bool {
        match key {
            Some(key) => self.text(Field::ExtCacheKey).is_some_and(|own| own == key),
            None => !self.has(Field::ExtCacheKey),
        }
    }

    pub(crate) fn section(&self) -> Section {
        self.entry.section
    }
}
