//! Finds MSAL token caches on each platform, and reads, locks and replaces them.
//!
//! A [`Store`] holds one cache document: a file, or an item of the platform's keyring. [`Places`]
//! opens the store of a document. A read creates nothing.

mod azure_cli;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod encoding;
mod examine;
mod file;
pub mod files;
mod foreign;
mod in_use;
mod keyring;
#[cfg(target_os = "linux")]
mod keyring_or_file;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod keyring_store;
mod lock;
mod neighbours;
mod open;
mod places;
mod platform_store;
mod protection;
mod rules;
mod temporary;
mod version;
mod windows_sharing;
mod write_error;

#[cfg(windows)]
mod dpapi;
// Its logic is also tested on Linux.
#[cfg(any(target_os = "macos", all(target_os = "linux", test)))]
mod keychain;
#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(windows)]
mod windows;

pub use examine::{Examination, ExaminationNote, HeldLock};
pub use file::FileStore;
pub use in_use::FilesInUse;
pub use keyring::{KeyringAccess, KeyringError};
pub use neighbours::{near_file, other};
pub use places::Places;
pub use rules::{Leniency, Rules};

use std::path::Path;

use zeroize::Zeroizing;

/// A place that holds one cache document. The methods block on disks, locks and other programs, so
/// do not call them from async tasks; only [`Self::is_at`] and [`Self::mark`] are quick.
pub trait Store: std::fmt::Debug + Send + Sync {
    /// The file whose lock guards the document: the cache file, or the signal file of a keyring
    /// item.
    fn guarded(&self) -> &Path;

    /// Whether the document is certainly still at this version; `false` in doubt. Reads at most a
    /// file's metadata.
    fn is_at(&self, known: &str) -> bool;

    /// Whether the same document, opened again, may lie in another place although this one
    /// [is at](Self::is_at) its version.
    fn may_move(&self) -> bool {
        false
    }

    /// Identifies the state of the guarded file, whose changes signal changes of the document;
    /// `None` if the file is missing. Reads at most its metadata.
    fn mark(&self) -> Option<String> {
        std::fs::metadata(self.guarded()).ok().map(|metadata| version::of_file(&metadata))
    }

    /// Reads the document, unless it is still at the known version.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn read(&self, known: Option<&str>) -> Result<Read, ReadError>;

    /// Replaces the document if it is still at the expected version (compare-and-swap); returns the
    /// new version.
    ///
    /// # Errors
    /// See [`WriteError`]. The document is then unchanged.
    fn replace(&self, expected: &str, content: &[u8]) -> Result<String, WriteError>;

    /// Diagnoses the place, for a user who gets no tokens. Changes nothing.
    fn examine(&self) -> Examination;
}

/// The result of a read.
#[derive(Debug)]
pub enum Read {
    /// The document is still at the version that the caller passed.
    Unchanged,
    /// The document as it is now.
    Document(Document),
}

/// A document with its version.
pub struct Document {
    /// Identifies this state of the document.
    pub version: String,
    /// The document. It is wiped when dropped.
    pub content: Zeroizing<Vec<u8>>,
    /// The place of the document in words for the user, such as `file
    /// /home/user0/.azure/msal_token_cache.json`.
    pub place: String,
    /// Where the document is stored in plain text, and why, in words for the user; `None` if it is
    /// encrypted.
    pub unencrypted: Option<String>,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("version", &self.version)
            .field("bytes", &self.content.len())
            .finish_non_exhaustive()
    }
}

/// Why a document can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The document does not exist. The text names the places that were searched.
    #[error("there is no {0}")]
    NotFound(String),
    /// The document exists and cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// The document is larger than the rules allow.
    #[error("{0}")]
    TooLarge(String),
    /// Another program was writing the document in place during the whole wait, so no read was
    /// consistent.
    #[error("another program keeps writing {0}; try again")]
    Busy(String),
    /// The keyring that should hold the document can't be used.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The operating system refused.
    #[error("{action} {path} failed: {source}")]
    Io {
        /// The action that failed.
        action: &'static str,
        /// On which file.
        path: String,
        /// The operating system's error.
        source: std::io::Error,
    },
}

/// Why a document was not replaced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Another program changed the document since it was read.
    #[error("it has changed since it was read")]
    Conflict,
    /// Another program holds the document's lock.
    #[error("another program holds the lock {0}")]
    Locked(String),
    /// The place can't be written.
    #[error("{0}")]
    Unusable(String),
    /// The operating system refused.
    #[error("{action} {path} failed: {source}")]
    Io {
        /// The action that failed.
        action: &'static str,
        /// On which file.
        path: String,
        /// The operating system's error.
        source: std::io::Error,
    },
}

/// Whether this platform has a shared token cache.
#[must_use]
pub const fn supported() -> bool {
    cfg!(any(windows, target_os = "macos", target_os = "linux"))
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    #[test]
    fn nothing_prints_a_document() {
        let content = || Zeroizing::new(b"hunter2".to_vec());
        let document =
            || Document { version: "1".into(), content: content(), place: "made up".into(), unencrypted: None };
        let values: [(&str, &dyn Debug); 4] = [
            ("Document", &document()),
            ("Read", &Read::Document(document())),
            ("Opened", &protection::Opened { content: content(), was_plain: true }),
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            ("Item", &keyring::Item { id: "made-up".into(), document: content(), base64: false }),
            #[cfg(not(any(target_os = "linux", target_os = "macos")))]
            ("Read", &Read::Unchanged),
        ];
        for (what, value) in values {
            let said = format!("{value:?} {value:#?}");
            // Bytes print as numbers.
            assert!(!said.contains("hunter2") && !said.contains("104, 117") && !said.contains("104,\n"), "{said}");
            assert!(said.contains(what) || what == "Read", "{said}");
        }
    }
}
