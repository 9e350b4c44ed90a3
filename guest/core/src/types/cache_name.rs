use std::fmt;

use crate::error::Error;

/// Suffix of the cache with tokens that live under Continuous Access Evaluation, and of the one without.
const SUFFIXES: (&str, &str) = (".cae", ".nocae");

/// The name of a cache, without its suffix: `msal.cache` unless the caller says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CacheName(String);

impl CacheName {
    /// Takes letters, digits, `.`, `-` and `_`, so that a name can never be a path.
    ///
    /// # Errors
    /// `InvalidArgument` for anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let good = !text.is_empty()
            && text.len() <= 128
            && !text.starts_with('.')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::InvalidArgument(format!(
                "the cache name {text:?} is not usable: a name is up to 128 letters, digits, `.`, `-` and `_`, and does \
                 not begin with a dot"
            )))
        }
    }

    /// The name of the document: with the suffix for calls with or without enable-cae.
    #[must_use]
    pub fn document(&self, enable_cae: bool) -> String {
        format!("{}{}", self.0, if enable_cae { SUFFIXES.0 } else { SUFFIXES.1 })
    }

    /// The cache that a document's name belongs to.
    #[must_use]
    pub fn of_document(document: &str) -> Option<Self> {
        let name = document.strip_suffix(SUFFIXES.0).or_else(|| document.strip_suffix(SUFFIXES.1))?;
        Self::parse(name).ok()
    }
}

impl Default for CacheName {
    fn default() -> Self {
        Self("msal.cache".into())
    }
}

impl fmt::Display for CacheName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        for text in ["", ".", "..", "../x", "a/b", "a\\b", "a:b", ".hidden", "a\0b", "ä", &"x".repeat(129)] {
            assert!(CacheName::parse(text).is_err(), "{text:?}");
        }
        for text in ["msal.cache", "my-cache_2", "a..b"] {
            assert_eq!(CacheName::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_document_is_named_by_cache_and_suffix() {
        let name = CacheName::default();
        assert_eq!((name.document(false), name.document(true)), ("msal.cache.nocae".into(), "msal.cache.cae".into()));
        assert_eq!(CacheName::of_document("msal.cache.cae"), Some(CacheName::default()));
        assert_eq!(CacheName::of_document("msal.cache.nocae"), Some(CacheName::default()));
        assert_eq!(CacheName::of_document("msal.cache"), None);
        assert_eq!(CacheName::of_document("../etc/passwd.cae"), None);
    }
}
