//! The cache as a component sees it.

use crate::form::{form, redeem};
use crate::wit::cache_file::{self, ReadOutcome, WriteError};

/// The document that the host grants.
pub const DOCUMENT: &str = "msal.cache.nocae";

/// The scope of the tests' calls.
pub const SCOPE: &str = "https://vault.azure.net/.default";

/// A document that was read.
pub struct Cache {
    /// The version of the document.
    pub version: String,
    /// Its text, with handles for secrets.
    pub text: String,
    /// Whether a refresh token was redeemed, which a call needs before it may write.
    pub is_paid: bool,
}

/// Reads the granted document. Traps if it can't be read.
#[allow(clippy::panic, reason = "an attempt that can't begin has to be noticed")]
pub fn cache() -> Cache {
    match cache_file::read(DOCUMENT, None) {
        Ok(ReadOutcome::Document(document)) => {
            Cache { version: document.version, text: document.content, is_paid: false }
        }
        other => panic!("the cache can't be read: {other:?}"),
    }
}

impl Cache {
    /// The handle in the entry that contains all of these words.
    #[allow(clippy::panic, reason = "an attempt that can't begin has to be noticed")]
    pub fn handle(&self, words: &[&str]) -> &str {
        let mut entries = self.text.split(['{', '}']);
        let entry =
            entries.find(|entry| entry.contains("\"secret\":") && words.iter().all(|word| entry.contains(word)));
        match entry.and_then(|entry| entry.split("\"secret\":\"").nth(1)?.split('"').next()) {
            Some(handle) => handle,
            None => panic!("no entry has all of {words:?}"),
        }
    }

    /// The handle of the first account's access token for the tests' scope.
    pub fn fitting(&self) -> &str {
        self.handle(&["AccessToken", "uid-0", SCOPE, "Bearer", "\"realm\":\"utid-0\"", "4102444800"])
    }

    /// Redeems the first account's refresh token, which a write requires, and replaces the document
    /// with this text.
    pub fn replace(&self, text: &str) -> Result<String, WriteError> {
        // If the redemption is denied, so is the write.
        let _ = redeem(&form(self.handle(&["RefreshToken", "uid-0", "family_id"])));
        self.replace_unpaid(text)
    }

    /// Replaces the document with this text.
    pub fn replace_unpaid(&self, text: &str) -> Result<String, WriteError> {
        cache_file::replace(DOCUMENT, &self.version, text)
    }

    /// Appends one more section to the document and writes it.
    pub fn add(&self, section: &str) -> Result<String, WriteError> {
        self.replace(&format!("{},{section}}}", self.text.strip_suffix('}').unwrap_or_default()))
    }

    /// Replaces the first `from` in the document by `to` and writes it.
    #[allow(clippy::panic, reason = "an attempt that changes nothing has to be noticed")]
    pub fn replace_with(&self, from: &str, to: &str) -> Result<String, WriteError> {
        let text = self.text.replacen(from, to, 1);
        if text == self.text {
            panic!("the document has no {from:?}");
        }
        self.replace(&text)
    }
}
