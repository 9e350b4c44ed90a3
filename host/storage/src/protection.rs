//! The encryption of a cache file.

use zeroize::Zeroizing;

/// How a file's content is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Plain text.
    None,
    /// By the Data Protection API of Windows: `CryptProtectData` for the current user, without
    /// further entropy.
    #[cfg(windows)]
    Dpapi,
}

/// A document as it lay in a file.
pub(crate) struct Opened {
    pub(crate) content: Zeroizing<Vec<u8>>,
    pub(crate) was_plain: bool,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({} bytes)", self.content.len())
    }
}

impl Protection {
    /// Decrypts a file's content. A plain document in the place of an encrypted one is accepted.
    pub(crate) fn open(self, content: Zeroizing<Vec<u8>>) -> Result<Opened, String> {
        match self {
            Self::None => Ok(Opened { content, was_plain: true }),
            #[cfg(windows)]
            Self::Dpapi if content.is_empty() || is_json(&content) => Ok(Opened { content, was_plain: true }),
            #[cfg(windows)]
            Self::Dpapi => crate::dpapi::unprotect(&content).map(|content| Opened { content, was_plain: false }),
        }
    }

    /// Encrypts a document for a file.
    pub(crate) fn close(self, document: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, String> {
        match self {
            Self::None => Ok(document.into()),
            #[cfg(windows)]
            Self::Dpapi => crate::dpapi::protect(document).map(Into::into),
        }
    }
}

pub(crate) fn is_json(content: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(content).is_ok()
}
