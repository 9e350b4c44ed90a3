use std::fmt;

use shared_token_cache_entra::cache;

use crate::InvalidValue;

/// The name of a cache without its suffix, `msal.cache` by default: letters, digits, `.`, `-` and
/// `_`, so never a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CacheName(String);

impl CacheName {
    /// Parses a name.
    ///
    /// # Errors
    /// When a character is not allowed, with the characters that are.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        if cache::is_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            let what = format!("{text:?} is not the name of a cache");
            Err(InvalidValue::new(what, "a name has up to 128 letters, digits, `.`, `-` and `_`"))
        }
    }

    /// The cache of a document such as `msal.cache.nocae`. The suffix shows whether its tokens are
    /// for Continuous Access Evaluation.
    pub fn of_document(document: &str) -> Option<Self> {
        cache::of_document(document).map(|name| Self(name.to_owned()))
    }

    /// The document of this cache for calls with or without Continuous Access Evaluation.
    #[must_use]
    pub fn document(&self, enable_cae: bool) -> String {
        cache::document(&self.0, enable_cae)
    }
}

impl Default for CacheName {
    fn default() -> Self {
        Self(cache::DEFAULT_NAME.into())
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
    fn a_document_that_belongs_to_no_cache_has_no_name() {
        for document in ["../x.cae", "a/b.nocae", "a\\b.nocae", ".nocae", ".x.nocae", "x", "x.nocae\0", "C:x.nocae"] {
            assert_eq!(CacheName::of_document(document), None, "{document}");
        }
        assert_eq!(CacheName::of_document("msal.cache.cae"), Some(CacheName::default()));
    }
}
