//! Entries of the document as the credential looks at them. A field of another type counts as missing, and an entry without a
//! field that it needs as no entry: one writer's mistake must not cost the user all other sign-ins.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;
use shared_token_cache_entra::Secret;
use shared_token_cache_entra::schema::BROKER;
use shared_token_cache_entra::token::is_bearer;

use super::json;
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
    /// Where the entry stands in the document.
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
    /// A bearer token that nothing binds to a key, a user assertion or an extended cache key.
    pub(crate) plain_bearer: bool,
    /// Where the entry stands in the document.
    pub(crate) place: Range<usize>,
}

/// Every field that some entry type has, still as JSON text. `null` counts as missing.
#[derive(Deserialize)]
pub(crate) struct RawEntry<'a> {
    #[serde(borrow, default)]
    home_account_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    environment: Option<&'a RawValue>,
    #[serde(borrow, default)]
    realm: Option<&'a RawValue>,
    #[serde(borrow, default)]
    username: Option<&'a RawValue>,
    #[serde(borrow, default)]
    account_source: Option<&'a RawValue>,
    #[serde(borrow, default)]
    client_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    family_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    last_modification_time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    target: Option<&'a RawValue>,
    #[serde(borrow, default)]
    token_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    cached_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    expires_on: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refresh_on: Option<&'a RawValue>,
    #[serde(borrow, default)]
    key_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ext_cache_key: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user_assertion_hash: Option<&'a RawValue>,
    #[serde(borrow, default)]
    secret: Option<&'a RawValue>,
}

impl<'a> RawEntry<'a> {
    /// `None` when the value is not an object.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        // A struct would also be read from an array, which no writer makes.
        text.starts_with('{').then(|| serde_json::from_str(text).ok()).flatten()
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
            last_modification_time: self.last_modification_time.and_then(number).unwrap_or_default(),
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
        // The schema's default; MSAL for Java leaves the field out.
        let bearer = self.token_type.is_none_or(|kind| text(kind).is_some_and(|kind| is_bearer(&kind)));
        let bound = [self.key_id, self.ext_cache_key, self.user_assertion_hash].iter().any(|field| field.is_some());
        Some(AccessTokenEntry {
            home_account_id: self.home_account_id()?,
            environment: owned(self.environment)?,
            client_id: owned(self.client_id).unwrap_or_default(),
            realm: owned(self.realm).unwrap_or_default(),
            target: owned(self.target)?,
            cached_at: self.cached_at.and_then(number),
            expires_on: self.expires_on.and_then(number)?,
            refresh_on: self.refresh_on.and_then(number),
            plain_bearer: bearer && !bound,
            place,
        })
    }

    /// The client of an access token that is of no account: an application got it for itself.
    pub(crate) fn application(&self) -> Option<Box<str>> {
        let no_account = self.home_account_id.is_none_or(|id| text(id).is_some_and(|id| id.is_empty()));
        self.secret.filter(|secret| no_account && is_text(secret))?;
        owned(self.client_id).filter(|id| !id.is_empty())
    }

    fn home_account_id(&self) -> Option<HomeAccountId> {
        HomeAccountId::new(&text(self.home_account_id?)?)
    }
}

fn owned(value: Option<&RawValue>) -> Option<Box<str>> {
    text(value?).map(Into::into)
}

fn is_text(value: &RawValue) -> bool {
    value.get().starts_with('"')
}

fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    json::text(value.get())
}

fn number(value: &RawValue) -> Option<u64> {
    json::seconds(value.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_another_shape_is_no_entry() {
        for json in ["null", "[]", "7", "\"x\"", "[null,null]"] {
            assert!(RawEntry::parse(json).is_none(), "{json}");
        }
        let entry = RawEntry::parse(r#"{"home_account_id":7,"environment":"e"}"#).unwrap();
        assert!(entry.account().is_none());
    }
}
