//! Typed entries of the document. A field of another type counts as missing, and an entry without a
//! required field is skipped: one program's mistake must not cost the user all other sign-ins.

use std::ops::Range;

use shared_token_cache_entra::Secret;
use shared_token_cache_entra::schema::{BROKER, field};
use shared_token_cache_entra::token::is_bearer;

use super::json::{seconds, text};
use super::scan::{NotJson, Scanner};
use crate::types::HomeAccountId;

/// An entry of the section `Account`.
#[derive(Debug)]
pub(crate) struct AccountEntry {
    pub(crate) home_account_id: HomeAccountId,
    pub(crate) environment: Box<str>,
    pub(crate) realm: Box<str>,
    pub(crate) username: Box<str>,
    /// The operating system's account broker holds the sign-in.
    pub(crate) brokered: bool,
}

/// An entry of the section `RefreshToken`.
#[derive(Debug)]
pub(crate) struct RefreshTokenEntry {
    pub(crate) home_account_id: HomeAccountId,
    pub(crate) environment: Box<str>,
    pub(crate) client_id: Box<str>,
    pub(crate) family_id: Option<Box<str>>,
    pub(crate) last_modification_time: u64,
    /// Byte range of the entry in the document.
    pub(crate) place: Range<usize>,
}

/// An entry of the section `AppMetadata`.
#[derive(Debug)]
pub(crate) struct AppMetadataEntry {
    pub(crate) environment: Box<str>,
    pub(crate) client_id: Box<str>,
    pub(crate) family_id: Option<Box<str>>,
}

/// An entry of the section `AccessToken`.
#[derive(Debug)]
pub(crate) struct AccessTokenEntry {
    pub(crate) home_account_id: HomeAccountId,
    pub(crate) environment: Box<str>,
    pub(crate) client_id: Box<str>,
    pub(crate) realm: Box<str>,
    pub(crate) target: Box<str>,
    pub(crate) cached_at: Option<u64>,
    pub(crate) expires_on: u64,
    pub(crate) refresh_on: Option<u64>,
    /// A bearer token that nothing binds to a key or a user assertion.
    pub(crate) plain_bearer: bool,
    /// Set for tokens that were requested with further fields, such as an agent session.
    pub(crate) ext_cache_key: Option<Box<str>>,
    /// Byte range of the entry in the document.
    pub(crate) place: Range<usize>,
}

/// Every field that any entry type has, as JSON text. `null` counts as missing.
#[derive(Default)]
pub(crate) struct RawEntry<'a> {
    home_account_id: Option<&'a str>,
    environment: Option<&'a str>,
    realm: Option<&'a str>,
    username: Option<&'a str>,
    account_source: Option<&'a str>,
    client_id: Option<&'a str>,
    family_id: Option<&'a str>,
    last_modification_time: Option<&'a str>,
    target: Option<&'a str>,
    token_type: Option<&'a str>,
    cached_at: Option<&'a str>,
    expires_on: Option<&'a str>,
    refresh_on: Option<&'a str>,
    key_id: Option<&'a str>,
    ext_cache_key: Option<&'a str>,
    user_assertion_hash: Option<&'a str>,
    secret: Option<&'a str>,
}

impl<'a> RawEntry<'a> {
    /// `None` when the value is not an object, or has duplicate fields or a key that is not text.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        scanner.enter().then(|| Self::read(&mut scanner).ok()).flatten().flatten()
    }

    /// Reads the members of an object. Duplicate fields and keys that are not text give `None`,
    /// because parsers disagree about them.
    pub(crate) fn read(scanner: &mut Scanner<'a>) -> Result<Option<Self>, NotJson> {
        let (mut entry, mut seen, mut is_entry, mut first) = (Self::default(), 0_u32, true, true);
        while let Some(key) = scanner.key(&mut first)? {
            let value = scanner.value()?;
            let Some(key) = key.text() else {
                is_entry = false;
                continue;
            };
            let Some((number, field)) = entry.field(&key) else { continue };
            is_entry &= seen & (1 << number) == 0;
            seen |= 1 << number;
            *field = (value != "null").then_some(value);
        }
        Ok(is_entry.then_some(entry))
    }

    fn field(&mut self, name: &str) -> Option<(u32, &mut Option<&'a str>)> {
        Some(match name {
            field::HOME_ACCOUNT_ID => (0, &mut self.home_account_id),
            field::ENVIRONMENT => (1, &mut self.environment),
            field::REALM => (2, &mut self.realm),
            field::USERNAME => (3, &mut self.username),
            field::ACCOUNT_SOURCE => (4, &mut self.account_source),
            field::CLIENT_ID => (5, &mut self.client_id),
            field::FAMILY_ID => (6, &mut self.family_id),
            field::LAST_MODIFICATION_TIME => (7, &mut self.last_modification_time),
            field::TARGET => (8, &mut self.target),
            field::TOKEN_TYPE => (9, &mut self.token_type),
            field::CACHED_AT => (10, &mut self.cached_at),
            field::EXPIRES_ON => (11, &mut self.expires_on),
            field::REFRESH_ON => (12, &mut self.refresh_on),
            field::KEY_ID => (13, &mut self.key_id),
            field::EXT_CACHE_KEY => (14, &mut self.ext_cache_key),
            field::USER_ASSERTION_HASH => (15, &mut self.user_assertion_hash),
            field::SECRET => (16, &mut self.secret),
            _ => return None,
        })
    }

    pub(crate) fn secret(&self) -> Option<Secret> {
        self.secret.and_then(text).filter(|secret| !secret.is_empty()).map(|secret| Secret::new(secret.into_owned()))
    }

    pub(crate) fn account(&self) -> Option<AccountEntry> {
        Some(AccountEntry {
            home_account_id: self.home_account_id()?,
            environment: owned(self.environment)?,
            realm: owned(self.realm).unwrap_or_default(),
            username: owned(self.username).unwrap_or_default(),
            brokered: self.account_source.and_then(text).is_some_and(|source| source == BROKER),
        })
    }

    pub(crate) fn refresh_token(&self, place: Range<usize>) -> Option<RefreshTokenEntry> {
        self.secret.filter(|secret| is_text(secret))?;
        Some(RefreshTokenEntry {
            home_account_id: self.home_account_id()?,
            environment: owned(self.environment)?,
            client_id: owned(self.client_id).unwrap_or_default(),
            family_id: owned(self.family_id).filter(|family| !family.is_empty()),
            last_modification_time: self.last_modification_time.and_then(seconds).unwrap_or_default(),
            place,
        })
    }

    pub(crate) fn app_metadata(&self) -> Option<AppMetadataEntry> {
        Some(AppMetadataEntry {
            environment: owned(self.environment)?,
            client_id: owned(self.client_id)?,
            family_id: owned(self.family_id).filter(|family| !family.is_empty()),
        })
    }

    pub(crate) fn access_token(&self, place: Range<usize>) -> Option<AccessTokenEntry> {
        self.secret.filter(|secret| is_text(secret))?;
        // A missing type means Bearer, the schema's default; MSAL for Java leaves the field out.
        let bearer = self.token_type.is_none_or(|kind| text(kind).is_some_and(|kind| is_bearer(&kind)));
        // An extended cache key that is not text cannot be compared, so it binds the token too.
        let unreadable = self.ext_cache_key.filter(|key| text(key).is_none());
        let bound = [self.key_id, unreadable, self.user_assertion_hash].iter().any(|field| field.is_some());
        Some(AccessTokenEntry {
            home_account_id: self.home_account_id()?,
            environment: owned(self.environment)?,
            client_id: owned(self.client_id).unwrap_or_default(),
            realm: owned(self.realm).unwrap_or_default(),
            target: owned(self.target)?,
            cached_at: self.cached_at.and_then(seconds),
            expires_on: self.expires_on.and_then(seconds)?,
            refresh_on: self.refresh_on.and_then(seconds),
            plain_bearer: bearer && !bound,
            ext_cache_key: owned(self.ext_cache_key),
            place,
        })
    }

    /// The client of an access token without an account: an application requested it for itself.
    pub(crate) fn application(&self) -> Option<Box<str>> {
        let no_account = self.home_account_id.is_none_or(|id| text(id).is_some_and(|id| id.is_empty()));
        self.secret.filter(|secret| no_account && is_text(secret))?;
        owned(self.client_id).filter(|id| !id.is_empty())
    }

    fn home_account_id(&self) -> Option<HomeAccountId> {
        HomeAccountId::new(&text(self.home_account_id?)?)
    }
}

fn owned(value: Option<&str>) -> Option<Box<str>> {
    text(value?).map(Into::into)
}

fn is_text(value: &str) -> bool {
    value.starts_with('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extended_cache_key_that_is_no_text_binds_the_token() {
        for (key, plain, extended) in
            [("null", true, None), ("\"x\"", true, Some("x")), ("7", false, None), ("\"\\ud800\"", false, None)]
        {
            let json = format!(
                r#"{{"home_account_id":"u.t","environment":"e","target":"s","expires_on":"1","secret":"at","ext_cache_key":{key}}}"#
            );
            let token = RawEntry::parse(&json).unwrap().access_token(0..0).unwrap();
            assert_eq!((token.plain_bearer, token.ext_cache_key.as_deref()), (plain, extended), "{key}");
        }
    }

    #[test]
    fn an_entry_of_another_shape_is_skipped() {
        for json in ["null", "[]", "7", "\"x\"", "[null,null]"] {
            assert!(RawEntry::parse(json).is_none(), "{json}");
        }
        let entry = RawEntry::parse(r#"{"home_account_id":7,"environment":"e"}"#).unwrap();
        assert!(entry.account().is_none());
    }
}
