use super::Span;

/// A section of the document that holds secrets, or tells whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    AccessToken,
    RefreshToken,
    IdToken,
    Account,
    AppMetadata,
}

impl Section {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "AccessToken" => Some(Self::AccessToken),
            "RefreshToken" => Some(Self::RefreshToken),
            "IdToken" => Some(Self::IdToken),
            "Account" => Some(Self::Account),
            "AppMetadata" => Some(Self::AppMetadata),
            _ => None,
        }
    }
}

/// A field of an entry that says something about its secret.
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
            "home_account_id" => Self::HomeAccountId,
            "environment" => Self::Environment,
            "realm" => Self::Realm,
            "username" => Self::Username,
            "account_source" => Self::AccountSource,
            "client_id" => Self::ClientId,
            "family_id" => Self::FamilyId,
            "target" => Self::Target,
            "token_type" => Self::TokenType,
            "cached_at" => Self::CachedAt,
            "expires_on" => Self::ExpiresOn,
            "key_id" => Self::KeyId,
            "ext_cache_key" => Self::ExtCacheKey,
            "user_assertion_hash" => Self::UserAssertionHash,
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
    /// A field stands there twice, so that readers differ in what the entry says. The guest takes it for no entry.
    pub(crate) ambiguous: bool,
}

impl Entry {
    pub(super) fn new(section: Section) -> Self {
        Self { section, fields: [Span::default(); Field::ALL.len()], seen: 0, ambiguous: false }
    }

    /// Notes a member of the entry.
    pub(super) fn note(&mut self, key: &str, value: Span) {
        let bit = match Field::named(key) {
            Some(field) => {
                if let Some(place) = self.fields.get_mut(field as usize) {
                    *place = value;
                }
                field as usize
            }
            None if key == "secret" => Field::ALL.len(),
            None => return,
        };
        self.ambiguous |= self.seen & (1 << bit) != 0;
        self.seen |= 1 << bit;
    }

    /// The field's value as it is written. A field that is `null` counts as missing. Of an object or an array only the bracket.
    pub(crate) fn raw<'a>(&self, text: &'a str, field: Field) -> Option<&'a str> {
        let value = self.fields.get(field as usize)?.of(text);
        (!value.is_empty() && value != "null").then_some(value)
    }
}

/// Whether a field is known to hold no secret. The guest reads no other but `secret`, so that any other is sealed.
pub(super) fn is_harmless(name: &str) -> bool {
    const BESIDES: [&str; 7] = [
        "credential_type",
        "local_account_id",
        "authority_type",
        "account_source",
        "extended_expires_on",
        "refresh_on",
        "last_modification_time",
    ];
    Field::named(name).is_some() || BESIDES.contains(&name)
}
