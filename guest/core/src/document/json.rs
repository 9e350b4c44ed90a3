//! JSON values as text.

use std::borrow::Cow;

use shared_token_cache_entra::token;

/// The value as a string, if it is one.
pub(crate) fn text(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(value).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

/// The value as a number of seconds: a JSON number, or a string of digits as in the cache's schema.
pub(crate) fn seconds(value: &str) -> Option<u64> {
    token::seconds(&text(value).unwrap_or(Cow::Borrowed(value)))
}

/// A JSON string literal.
pub(crate) fn quoted(text: &str) -> String {
    // Serializing a string cannot fail; the fallback only satisfies the type.
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_strings_or_numbers() {
        for (json, expected) in [
            ("\"1700000000\"", Some(1_700_000_000)),
            ("1700000000", Some(1_700_000_000)),
            ("\" 17 \"", Some(17)),
            ("17.9", Some(17)),
            ("36E2", Some(3600)),
            ("3.6e3", Some(3600)),
            ("\"3599.0\"", Some(3599)),
            ("\"inf\"", None),
            ("\"nan\"", None),
            ("\"soon\"", None),
            ("\"\"", None),
            ("-1", None),
            ("true", None),
            ("[]", None),
            ("1e300", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(seconds(json), expected, "{json}");
        }
    }

    #[test]
    fn text_is_unescaped() {
        assert_eq!(text(r#""a\u0062\n""#).as_deref(), Some("ab\n"));
        assert_eq!(text("7"), None);
        assert_eq!(text(&quoted("a\"\\\u{1}")).as_deref(), Some("a\"\\\u{1}"));
    }
}
