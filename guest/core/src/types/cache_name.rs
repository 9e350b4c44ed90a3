use shared_token_cache_entra::cache;

use crate::error::Error;

/// The name of a cache without its suffix, by default `msal.cache`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CacheName(String);

impl CacheName {
    /// Takes letters, digits, `.`, `-` and `_`, so that a name can never be a path.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if cache::is_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::InvalidArgument(format!(
                "the cache name {text:?} is not usable: a name is up to 128 letters, digits, `.`, `-` and `_`, and does \
                 not begin with a dot"
            )))
        }
    }

    /// The name of the document: the cache's name with the suffix for calls with or without CAE.
    pub(crate) fn document(&self, enable_cae: bool) -> String {
        cache::document(&self.0, enable_cae)
    }
}

impl Default for CacheName {
    fn default() -> Self {
        Self(cache::DEFAULT_NAME.into())
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
            assert_eq!(CacheName::parse(text).unwrap().0, text);
        }
    }

    #[test]
    fn a_document_is_named_by_cache_and_suffix() {
        let name = CacheName::default();
        assert_eq!((name.document(false), name.document(true)), ("msal.cache.nocae".into(), "msal.cache.cae".into()));
    }
}
