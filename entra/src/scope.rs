//! Scopes.

/// Scopes of OpenID Connect, which come with a token of any resource: OpenID Connect Core 1.0,
/// sections 3.1.2.1, 5.4 and 11.
const OPENID_CONNECT: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Whether a scope is of OpenID Connect. Microsoft Entra ID also accepts such a scope with
/// Microsoft Graph's name in front and with extra slashes, so the last segment decides.
#[must_use]
pub fn is_of_openid_connect(scope: &str) -> bool {
    let name = scope.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    OPENID_CONNECT.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`: RFC 6749, section 3.3.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segment_decides_whether_a_scope_is_of_openid_connect() {
        for (scope, expected) in [
            ("openid", true),
            ("OFFLINE_ACCESS", true),
            ("openid/", true),
            ("https://graph.microsoft.com//Profile/", true),
            ("User.Read", false),
            ("openid.read", false),
            ("https://openid/.default", false),
            ("", false),
        ] {
            assert_eq!(is_of_openid_connect(scope), expected, "{scope}");
        }
    }

    #[test]
    fn a_scope_is_visible_ascii_without_quotes_and_backslashes() {
        assert!(is_token("https://vault.azure.net/.default") && is_token("!#[]~"));
        for text in ["", "a b", "a\"b", "a\\b", "\u{e9}", "b\u{7f}"] {
            assert!(!is_token(text), "{text:?}");
        }
    }
}
