//! Handles: the text that the component sees in the place of a secret.
//!
//! `sealed-r-Jx2bV0m4f1uQe8Zk9sTtAw`: a prefix, the kind, and 128 bits of HMAC-SHA256 under the
//! vault's random key. Equal secrets of one kind have equal handles, also after a reload: the
//! component compares them. A handle cannot be made without the key. Its characters need no escape
//! in JSON, in forms and in URLs.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::Key;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroize as _;

/// The kind of secret behind a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// An id token.
    IdToken,
    /// Another secret of a document. It is restored in its old place only.
    Opaque,
}

impl Kind {
    const ALL: [Self; 4] = [Self::AccessToken, Self::RefreshToken, Self::IdToken, Self::Opaque];

    fn letter(self) -> u8 {
        match self {
            Self::AccessToken => b'a',
            Self::RefreshToken => b'r',
            Self::IdToken => b'i',
            Self::Opaque => b'o',
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessToken => "access token",
            Self::RefreshToken => "refresh token",
            Self::IdToken => "id token",
            Self::Opaque => "opaque secret",
        })
    }
}

const PREFIX: &str = "sealed-";
/// Sixteen bytes in base64url.
const TAG: usize = 22;
const LENGTH: usize = PREFIX.len() + 2 + TAG;

/// A handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Handle {
    pub(crate) kind: Kind,
    tag: [u8; 16],
}

impl Handle {
    /// Parses a handle; surrounding text is an error.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, tag) = text.strip_prefix(PREFIX)?.split_once('-')?;
        let kind = Kind::ALL.into_iter().find(|known| kind.as_bytes() == [known.letter()])?;
        let tag = (tag.len() == TAG).then(|| URL_SAFE_NO_PAD.decode(tag).ok()).flatten()?;
        Some(Self { kind, tag: tag.try_into().ok()? })
    }

    pub(crate) fn push_to(self, text: &mut String) {
        text.push_str(PREFIX);
        text.push(self.kind.letter().into());
        text.push('-');
        let mut tag = [0; TAG];
        // Sixteen bytes always fit.
        let _ = URL_SAFE_NO_PAD.encode_slice(self.tag, &mut tag);
        text.push_str(std::str::from_utf8(&tag).unwrap_or_default());
    }

    /// Every substring of `text` with the shape of a handle.
    pub(crate) fn all_in(text: &str) -> impl Iterator<Item = Self> {
        memchr::memmem::find_iter(text.as_bytes(), PREFIX)
            .filter_map(|start| Self::parse(text.get(start..start + LENGTH)?))
    }
}

/// Whether `text` contains something with the shape of a handle, of any vault. Handles are not
/// secret, but are for component and host only.
#[must_use]
pub fn contains_handle(text: &str) -> bool {
    Handle::all_in(text).next().is_some()
}

/// Computes handles.
#[derive(Clone)]
pub(crate) struct Sealer(Hmac<Sha256>);

/// The platform has no randomness.
#[derive(Debug, thiserror::Error)]
#[error("cannot get a random key for the vault: {0}")]
pub struct NoRandomness(getrandom::Error);

impl Sealer {
    /// A sealer with a new random key.
    pub(crate) fn new() -> Result<Self, NoRandomness> {
        let mut key = Key::<Hmac<Sha256>>::default();
        getrandom::fill(&mut key).map_err(NoRandomness)?;
        let mac = Hmac::new(&key);
        key.as_mut_slice().zeroize();
        Ok(Self(mac))
    }

    /// The handle of a secret. `form` distinguishes values of different JSON types with the same
    /// text.
    pub(crate) fn handle(&self, kind: Kind, form: u8, secret: &str) -> Handle {
        let mut mac = self.0.clone();
        mac.update(&[kind.letter(), form]);
        mac.update(secret.as_bytes());
        let mut tag = [0; 16];
        for (to, from) in tag.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        Handle { kind, tag }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(handle: Handle) -> String {
        let mut text = String::new();
        handle.push_to(&mut text);
        text
    }

    #[test]
    fn equal_secrets_of_a_kind_have_equal_handles_in_one_vault_only() {
        let sealer = Sealer::new().unwrap();
        let handle = sealer.handle(Kind::RefreshToken, 0, "hunter2");
        assert_eq!(handle, sealer.handle(Kind::RefreshToken, 0, "hunter2"));
        assert_ne!(handle, sealer.handle(Kind::RefreshToken, 0, "hunter3"));
        assert_ne!(handle, sealer.handle(Kind::RefreshToken, 1, "hunter2"));
        assert_ne!(handle, sealer.handle(Kind::AccessToken, 0, "hunter2"));
        assert_ne!(handle, Sealer::new().unwrap().handle(Kind::RefreshToken, 0, "hunter2"));
    }

    #[test]
    fn a_handle_is_read_as_it_was_written() {
        let sealer = Sealer::new().unwrap();
        for kind in Kind::ALL {
            let handle = sealer.handle(kind, 0, "hunter2");
            let text = text(handle);
            assert_eq!(text.len(), LENGTH);
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
            assert_eq!(Handle::parse(&text), Some(handle));
            // `x` is not a kind: after a kind's letter the next characters could be read as a tag.
            assert_eq!(Handle::all_in(&format!("sealed-sealed-x-{text}{text}x")).collect::<Vec<_>>(), [handle, handle]);
            assert!(contains_handle(&format!("x{text}x")) && !contains_handle(&text[..text.len() - 1]));
            for near in [&text[1..], &format!("{text}A"), &text.replace('-', "_"), &text.to_uppercase()] {
                assert_eq!(Handle::parse(near), None, "{near}");
            }
        }
        assert!(!contains_handle("sealed-x-AAAAAAAAAAAAAAAAAAAAAA"));
    }
}
