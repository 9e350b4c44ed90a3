//! One cache document, kept between the calls of a credential.

use shared_token_cache_entra::token::BEARER;

use crate::access_token::{self, Wanted};
use crate::account::{self, Holdings};
use crate::candidate::Candidate;
use crate::credential::AccessToken;
use crate::document::{Document, Edit};
use crate::error::{Error, UnavailableReason};
use crate::options::Configuration;
use crate::platform::{CacheDocument, LogLevel, Platform, ReadError, ReadOutcome, WriteError};
use crate::redeem::Request;
use crate::types::Authority;
use crate::unusable::{self, Unusable};

/// How often a write is retried after a conflict with another program.
const MOST_WRITES: usize = 16;

/// A document, its version, and the accounts derived from it.
#[derive(Debug)]
pub(super) struct Cache {
    name: String,
    allow_unencrypted_storage: bool,
    /// `None` before the first read, and while no document exists.
    version: Option<String>,
    document: Document,
    /// The place where no document was found.
    missing: Option<String>,
    candidates: Vec<Candidate>,
    selected: Result<Candidate, Error>,
}

impl Cache {
    pub(super) fn new(name: String, allow_unencrypted_storage: bool) -> Self {
        Self {
            name,
            allow_unencrypted_storage,
            version: None,
            document: Document::empty(),
            missing: None,
            candidates: Vec::new(),
            selected: Err(Error::unavailable(UnavailableReason::CacheUnavailable, "the cache has not been read yet")),
        }
    }

    /// Reads the document if its version has changed.
    pub(super) fn refresh(
        &mut self,
        platform: &mut impl Platform,
        authority: &Authority,
        configuration: &Configuration,
    ) -> Result<(), Error> {
        if self.version.is_none() && !platform.shared_cache_supported() {
            return Err(Error::unavailable(
                UnavailableReason::UnsupportedPlatform,
                "this platform has no shared token cache; Windows, macOS and Linux have",
            ));
        }
        let mut missing = None;
        let found = match platform.read_cache(&self.name, self.version.as_deref()) {
            Ok(ReadOutcome::Unchanged) if self.version.is_some() => return Ok(()),
            Ok(ReadOutcome::Unchanged) => {
                return Err(self.unavailable("the host reports a document as unchanged that was never read"));
            }
            Ok(ReadOutcome::Document(found)) => Some(found),
            Err(ReadError::NotFound(place)) => {
                missing = Some(place);
                None
            }
            Err(ReadError::Denied(why) | ReadError::Failed(why)) => return Err(self.unavailable(&why)),
            Err(ReadError::NotUtf8 { line, column }) => {
                self.forget();
                return Err(self.damaged(format_args!("it is not UTF-8: line {line}, column {column}")));
            }
        };
        // Drops the old document first: memory may not have room for two large ones.
        self.forget();
        self.missing = missing;
        if let Some(found) = found {
            let (version, document) = self.parse(found)?;
            self.version = Some(version);
            self.document = document;
        }
        self.derive(authority, configuration);
        if configuration.record.as_ref().is_some_and(|record| account::is_renamed(&self.document, record)) {
            platform.log(LogLevel::Warn, "the cache has another username for the account of the authentication record");
        }
        let (entries, usable) = (self.document.accounts().len(), self.candidates.len());
        platform.log(LogLevel::Debug, &format!("{}: {entries} account entries, {usable} usable accounts", self.name));
        Ok(())
    }

    /// Drops the document, so that the next call reads it again.
    pub(super) fn forget(&mut self) {
        *self = Self::new(std::mem::take(&mut self.name), self.allow_unencrypted_storage);
    }

    pub(super) fn document(&self) -> &Document {
        &self.document
    }

    /// The account to use. An account whose sign-in the operating system's broker holds is used
    /// only if no other account can be and `serves` finds a cached token of it for the call.
    pub(super) fn selected(
        &self,
        authority: &Authority,
        configuration: &Configuration,
        serves: impl Fn(&Candidate) -> bool,
    ) -> Result<Candidate, Error> {
        let has_no_account = |error: &Error| match error {
            Error::CredentialUnavailable(unavailable) => {
                unavailable.candidates.is_empty() || unavailable.reason == UnavailableReason::NoMatchingAccount
            }
            _ => false,
        };
        if configuration.record.is_some() || !self.selected.as_ref().is_err_and(has_no_account) {
            return self.selected.clone();
        }
        let held = unusable::all(&self.document, authority, configuration).into_iter().filter(Unusable::is_brokered);
        let serving: Vec<Candidate> = held.map(|held| held.account).filter(serves).collect();
        account::only(&serving, configuration).unwrap_or_else(|| self.selected.clone())
    }

    /// The cached token that serves a call.
    pub(super) fn token(
        &self,
        wanted: &Wanted<'_>,
        authority: &Authority,
        configuration: &Configuration,
    ) -> Option<AccessToken> {
        let entry = access_token::find(&self.document, wanted, authority, configuration)?;
        Some(AccessToken {
            token: self.document.secret(&entry.place)?,
            expires_on: entry.expires_on,
            refresh_on: entry.refresh_on,
            token_type: BEARER.into(),
        })
    }

    /// Writes `edits` with compare-and-swap, retrying after a conflict. A failed write is logged,
    /// and the caller still gets its token: the edited document stays in memory until the stored
    /// one changes.
    pub(super) fn write(&mut self, platform: &mut impl Platform, edits: &[Edit], request: &Request<'_>) {
        let (authority, configuration) = (request.authority, request.configuration);
        let mut problem = "another program kept changing it".to_owned();
        for _ in 0..MOST_WRITES {
            let Some(version) = self.version.clone() else { return };
            match self.document.edited(edits) {
                Ok(edited) => self.document = edited,
                Err(error) => {
                    problem = error.to_string();
                    break;
                }
            }
            self.derive(authority, configuration);
            match platform.replace_cache(&self.name, &version, self.document.text()) {
                Ok(version) => {
                    self.version = Some(version);
                    return;
                }
                Err(WriteError::Conflict) => {
                    self.forget();
                    if let Err(error) = self.refresh(platform, authority, configuration) {
                        problem = error.to_string();
                        break;
                    }
                }
                Err(WriteError::Locked) => {
                    problem = "another program holds its lock".into();
                    break;
                }
                Err(WriteError::Denied(why) | WriteError::Failed(why)) => {
                    problem = why;
                    break;
                }
            }
        }
        platform.log(LogLevel::Warn, &format!("{} was not updated with the new token: {problem}", self.name));
    }

    fn parse(&self, found: CacheDocument) -> Result<(String, Document), Error> {
        if let Some(place) = &found.unencrypted
            && !self.allow_unencrypted_storage
        {
            return Err(self.unavailable(&format!(
                "it is stored in plain text {place}, which the options do not allow; set allow-unencrypted-storage \
                 to use it"
            )));
        }
        let document = Document::parse(found.content).map_err(|error| self.damaged(format_args!("{error}")))?;
        Ok((found.version, document))
    }

    fn derive(&mut self, authority: &Authority, configuration: &Configuration) {
        self.candidates = account::candidates(&self.document, authority, configuration);
        self.selected = match &configuration.record {
            Some(record) => account::recorded(&self.document, authority, record),
            None => account::select(&Holdings {
                document: &self.document,
                authority,
                configuration,
                candidates: &self.candidates,
                missing: self.missing.as_deref(),
            }),
        };
    }

    fn damaged(&self, why: std::fmt::Arguments<'_>) -> Error {
        Error::unavailable(
            UnavailableReason::CacheCorrupt,
            format!(
                "the cache {} is damaged: {why}; it was left as it is. Move it away and sign in again, or restore it",
                self.name
            ),
        )
    }

    fn unavailable(&self, why: &str) -> Error {
        Error::unavailable(UnavailableReason::CacheUnavailable, format!("cannot read the cache {}: {why}", self.name))
    }
}
