use shared_token_cache_entra::schema::{Section, field};

use super::Span;

/// A field of an entry that describes its secret or its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    HomeAccountId,
    Environment,
    Realm,
    Username,
    AccountSource,
    ClientId,
    FamilyId,
    Target,
    TokenType,
    CachedAt,
    ExpiresOn,
    KeyId,
    ExtCacheKey,
    UserAssertionHash,
}

impl Field {
    pub(crate) const ALL: [Self; 14] = [
        Self::HomeAccountId,
        Self::Environment,
        Self::Realm,
        Self::Username,
        Self::AccountSource,
        Self::ClientId,
        Self::FamilyId,
        Self::Target,
        Self::TokenType,
        Self::CachedAt,
        Self::ExpiresOn,
        Self::KeyId,
        Self::ExtCacheKey,
        Self::UserAssertionHash,
    ];

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            field::HOME_ACCOUNT_ID => Self::HomeAccountId,
            field::ENVIRONMENT => Self::Environment,
            field::REALM => Self::Realm,
            field::USERNAME => Self::Username,
            field::ACCOUNT_SOURCE => Self::AccountSource,
            field::CLIENT_ID => Self::ClientId,
            field::FAMILY_ID => Self::FamilyId,
            field::TARGET => Self::Target,
            field::TOKEN_TYPE => Self::TokenType,
            field::CACHED_AT => Self::CachedAt,
            field::EXPIRES_ON => Self::ExpiresOn,
            field::KEY_ID => Self::KeyId,
            field::EXT_CACHE_KEY => Self::ExtCacheKey,
            field::USER_ASSERTION_HASH => Self::UserAssertionHash,
            _ => return None,
        })
    }
}

/// An object in a known section.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) section: Section,
    fields: [Span; Field::ALL.len()],
    seen: u16,
    /// A field is repeated, so readers differ about the entry. The component ignores it.
    pub(crate) ambiguous: bool,
}

impl Entry {
    pub(super) fn new(section: Section) -> Self {
        Self { section, fields: [Span::default(); Field::ALL.len()], seen: 0, ambiguous: false }
    }

    /// Records a member of the entry.
    pub(super) fn note(&mut self, key: &str, value: Span) {
        let bit = match Field::named(key) {
            Some(field) => {
                if let Some(place) = self.fields.get_mut(field as usize) {
                    *place = value;
                }
                field as usize
            }
            None if key == field::SECRET => Field::ALL.len(),
            None => return,
        };
        self.ambiguous |= self.seen & (1 << bit) != 0;
        self.seen |= 1 << bit;
    }

    /// The field's JSON literal. `null` counts as missing. For an object or an array: the opening
    /// bracket.
    pub(crate) fn raw<'a>(&self, text: &'a str, field: Field) -> Option<&'a str> {
        let value = self.fields.get(field as usize)?.of(text);
        (!value.is_empty() && value != "null").then_some(value)
    }
}

/// Whether a field is known to hold no secret. The component reads no other field but `secret`, so
/// all others are sealed.
pub(super) fn is_harmless(name: &str) -> bool {
    const BESIDES: [&str; 7] = [
        field::CREDENTIAL_TYPE,
        field::LOCAL_ACCOUNT_ID,
        field::AUTHORITY_TYPE,
        field::ACCOUNT_SOURCE,
        field::EXTENDED_EXPIRES_ON,
        field::REFRESH_ON,
        field::LAST_MODIFICATION_TIME,
    ];
    Field::named(name).is_some() || BESIDES.contains(&name)
}
