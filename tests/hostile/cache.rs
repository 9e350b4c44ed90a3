//! The cache as a component gets to see it.

use crate::form::{form, redeem};
use crate::wit::cache_file::{self, ReadOutcome, WriteError};

/// The document that the host grants.
pub const DOCUMENT: &str = "msal.cache.nocae";

/// The scope that the tests ask for.
pub const SCOPE: &str = "https://vault.azure.net/.default";

/// A document that was read.
pub struct Cache {
    /// Names this state of it.
    pub version: String,
    /// Its text, with handles for secrets.
    pub text: String,
    /// Whether a refresh token was redeemed, without which no call may write.
    pub is_paid: bool,
}

/// Reads the granted document. Breaks when it can't be read.
#[allow(clippy::panic, reason = "an attempt that can't begin has to be noticed")]
pub fn cache() -> Cache {
    match cache_file::read(DOCUMENT, None) {
        Ok(ReadOutcome::Document(document)) => Cache {
            version: document.version,
            text: String::from_utf8_lossy(&document.content).into_owned(),
            is_paid: false,
        },
        other => panic!("the cache can't be read: {other:?}"),
    }
}

impl Cache {
    /// The handle in the entry that has all of these words.
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

    /// The handle of the first account's access token for the scope that the tests ask for.
    pub fn fitting(&self) -> &str {
        self.handle(&["AccessToken", "uid-0", SCOPE, "Bearer", "\"realm\":\"utid-0\"", "4102444800"])
    }

    /// Redeems the first account's refresh token, as no other call may write, and replaces the document with this text.
    pub fn replace(&self, text: &str) -> Result<String, WriteError> {
        // Where it is refused, so is the write.
        let _ = redeem(&form(self.handle(&["RefreshToken", "uid-0", "family_id"])));
        self.replace_unpaid(text)
    }

    /// Replaces the document with this text.
    pub fn replace_unpaid(&self, text: &str) -> Result<String, WriteError> {
        cache_file::replace(DOCUMENT, &self.version, text.as_bytes())
    }

    /// Replaces the document with itself and one more section behind all others.
    pub fn add(&self, section: &str) -> Result<String, WriteError> {
        self.replace(&format!("{},{section}}}", self.text.strip_suffix('}').unwrap_or_default()))
    }

    /// Replaces the document with itself, except that `from` becomes `to` where it first stands.
    #[allow(clippy::panic, reason = "an attempt that changes nothing has to be noticed")]
    pub fn replace_with(&self, from: &str, to: &str) -> Result<String, WriteError> {
        let text = self.text.replacen(from, to, 1);
        if text == self.text {
            panic!("the document has no {from:?}");
        }
        self.replace(&text)
    }
}
