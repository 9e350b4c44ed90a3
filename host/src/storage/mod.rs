//! Cache documents on this machine.

mod file;
mod lock;
mod places;
mod turn;

pub(crate) use file::{FileStore, ReadRules};
pub use places::Places;
pub(crate) use turn::{Turn, take_turn};

/// What a read found.
pub(crate) enum Read {
    Unchanged,
    Document(Document),
}

/// A document, and the version that names its state.
pub(crate) struct Document {
    pub(crate) version: String,
    pub(crate) content: Vec<u8>,
    /// Whether it lies in the store in plain text.
    pub(crate) unencrypted: bool,
    /// Something that the user should know.
    pub(crate) warning: Option<String>,
}

/// Why a document can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ReadError {
    #[error("there is none")]
    NotFound,
    #[error("{0}")]
    Unusable(String),
    #[error("{action} {path} failed: {source}")]
    Io { action: &'static str, path: String, source: std::io::Error },
}

/// Why a document was not replaced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum WriteError {
    #[error("it has changed since it was read")]
    Conflict,
    #[error("another program holds the lock {0}")]
    Locked(String),
    #[error("{action} {path} failed: {source}")]
    Io { action: &'static str, path: String, source: std::io::Error },
}

/// Whether this platform has a shared token cache.
pub(crate) const fn supported() -> bool {
    cfg!(any(windows, target_os = "macos", target_os = "linux"))
}
