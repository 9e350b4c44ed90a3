//! Names of caches. A cache is two documents: one for tokens under Continuous Access Evaluation
//! (CAE), one for others.

/// The default name of a cache.
pub const DEFAULT_NAME: &str = "msal.cache";

/// Suffix of the document of calls with Continuous Access Evaluation.
pub const CAE: &str = ".cae";

/// Suffix of the document of calls without it.
pub const NOCAE: &str = ".nocae";

/// The document of [`DEFAULT_NAME`] for calls without Continuous Access Evaluation. In keyrings,
/// azure-identity for Python and JavaScript use another name for it.
pub const DEFAULT_DOCUMENT: &str = "msal.cache.nocae";

/// Whether a text can be a cache's name, without a suffix: letters, digits, `.`, `-` and `_`. A
/// name can therefore never be a path.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// The document of a cache for calls with or without Continuous Access Evaluation.
#[must_use]
pub fn document(name: &str, enable_cae: bool) -> String {
    format!("{name}{}", if enable_cae { CAE } else { NOCAE })
}

/// The cache of a document such as `msal.cache.nocae`.
#[must_use]
pub fn of_document(document: &str) -> Option<&str> {
    let name = document.strip_suffix(CAE).or_else(|| document.strip_suffix(NOCAE))?;
    is_name(name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        for text in ["", ".", "..", "../x", "a/b", "a\\b", "a:b", ".hidden", "a\0b", "ä", &"x".repeat(129)] {
            assert!(!is_name(text), "{text:?}");
        }
        for text in [DEFAULT_NAME, "my-cache_2", "a..b", &"x".repeat(128)] {
            assert!(is_name(text), "{text:?}");
        }
    }

    #[test]
    fn a_document_is_named_by_its_cache_and_a_suffix() {
        for (enable_cae, name) in [(true, "msal.cache.cae"), (false, "msal.cache.nocae")] {
            assert_eq!(document(DEFAULT_NAME, enable_cae), name);
            assert_eq!(of_document(name), Some(DEFAULT_NAME));
        }
        assert_eq!(document(DEFAULT_NAME, false), DEFAULT_DOCUMENT);
        for name in ["../x.cae", "a/b.nocae", ".nocae", ".x.nocae", "x", "x.nocae\0", "C:x.nocae"] {
            assert_eq!(of_document(name), None, "{name}");
        }
    }
}
