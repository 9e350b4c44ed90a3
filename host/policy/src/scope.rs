use std::fmt;
use std::str::FromStr;

use shared_token_cache_entra::scope::{is_of_openid_connect, is_token};

use crate::InvalidValue;

/// The scopes that are allowed: one scope, all of one resource, or all.
///
/// - `https://vault.azure.net/.default` covers only this scope.
/// - `https://graph.microsoft.com/*` covers every scope that consists of
///   `https://graph.microsoft.com/` and a permission's name: letters, digits, `.`, `-` and `_`, and
///   no character that could make it another resource. A second slash belongs to the resource, so
///   `https://management.azure.com//.default` needs `https://management.azure.com//*`.
/// - `*` covers all scopes.
///
/// Scopes are compared without case. A scope without a resource, such as `User.Read`, which
/// Microsoft Entra ID treats as one of Microsoft Graph, must be written in that form.
///
/// The scopes of OpenID Connect (`openid`, `profile`, `email`, `offline_access`, `address`,
/// `phone`) name no resource: for them alone, Microsoft Entra ID returns a token of Microsoft
/// Graph. So a rule for one of them allows it only in a call that also requests a scope of an
/// allowed resource.
///
/// ```
/// use shared_token_cache_policy::AllowedScope;
///
/// let graph: AllowedScope = "https://graph.microsoft.com/*".parse()?;
/// assert!(graph.covers("https://graph.microsoft.com/User.Read"));
/// assert!(!graph.covers("https://graph.microsoft.com.evil.example/User.Read"));
/// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AllowedScope(Rule);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Rule {
    Any,
    /// The resource with the slash that follows it, in lower case.
    Resource(String),
    /// In lower case.
    Exact(String),
}

impl AllowedScope {
    /// All scopes.
    pub const ANY: Self = Self(Rule::Any);

    /// Whether a scope is allowed.
    #[must_use]
    pub fn covers(&self, scope: &str) -> bool {
        let lower = scope.to_ascii_lowercase();
        match &self.0 {
            Rule::Any => true,
            Rule::Resource(resource) => lower.strip_prefix(resource.as_str()).is_some_and(is_permission),
            Rule::Exact(exact) => lower == *exact,
        }
    }

    /// Whether the rule allows a call for this scope alone.
    pub(crate) fn covers_alone(&self, scope: &str) -> bool {
        let names_a_resource = match &self.0 {
            Rule::Any | Rule::Resource(_) => true,
            Rule::Exact(exact) => !is_of_openid_connect(exact),
        };
        names_a_resource && self.covers(scope)
    }

    pub(crate) fn is_one(&self) -> bool {
        matches!(self.0, Rule::Exact(_))
    }
}

impl FromStr for AllowedScope {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let lower = text.to_ascii_lowercase();
        let rule = match lower.strip_suffix('*') {
            Some("") => Some(Rule::Any),
            Some(resource) => is_resource(resource).then(|| Rule::Resource(resource.to_owned())),
            None => is_scope(&lower).then(|| Rule::Exact(lower.clone())),
        };
        rule.map(Self).ok_or_else(|| {
            let instead = "write a scope in full, `https://RESOURCE/*` for all of a resource, or `*` for any";
            InvalidValue::new(format!("{text:?} is not a scope"), instead)
        })
    }
}

impl fmt::Display for AllowedScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Rule::Any => f.write_str("*"),
            Rule::Resource(resource) => write!(f, "{resource}*"),
            Rule::Exact(exact) => f.write_str(exact),
        }
    }
}

/// The scope that was probably meant instead.
pub(crate) fn doubt(text: &str) -> Option<InvalidValue> {
    if let Some(resource) = bare_resource(text) {
        let what = format!("{text:?} is a resource without a permission, and allows no scope of it");
        let instead = format!("write `{resource}/.default`, or `{resource}/*` for all of the resource");
        return Some(InvalidValue::new(what, instead));
    }
    text.eq_ignore_ascii_case(".default").then(|| {
        let what = format!("{text:?} names no resource");
        InvalidValue::new(what, "write `https://RESOURCE/.default`")
    })
}

/// The resource, if a scope is only a URL of a host.
#[must_use]
pub fn bare_resource(scope: &str) -> Option<&str> {
    let (scheme, rest) = scope.split_once("://")?;
    let host = rest.trim_end_matches('/');
    let is_bare = ["https", "http", "api"].iter().any(|known| known.eq_ignore_ascii_case(scheme))
        && !host.is_empty()
        && !host.contains('/');
    is_bare.then(|| scope.trim_end_matches('/'))
}

fn is_permission(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// A scope-token of RFC 6749, section 3.3, without `*`, which is a wildcard here.
fn is_scope(text: &str) -> bool {
    is_token(text) && !text.contains('*')
}

/// A resource with the slash that follows it: a URI with text after its `//`, or a plain name such
/// as an application's id.
fn is_resource(text: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:/".contains(&byte));
    let Some(resource) = text.strip_suffix('/') else { return false };
    match resource.split_once("://") {
        Some((scheme, rest)) => {
            is_permission(scheme) && plain(rest) && rest.split('/').next().is_some_and(|host| !host.is_empty())
        }
        None => is_permission(resource),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(rule: &str, scope: &str) -> bool {
        rule.parse::<AllowedScope>().unwrap().covers(scope)
    }

    #[test]
    fn a_bare_resource_causes_a_warning_and_a_scope_does_not() {
        for (text, part) in [
            ("https://vault.azure.net", Some("`https://vault.azure.net/.default`")),
            ("https://vault.azure.net/", Some("`https://vault.azure.net/.default`")),
            ("HTTPS://vault.azure.net", Some("`HTTPS://vault.azure.net/.default`")),
            ("api://contoso", Some("`api://contoso/.default`")),
            (".default", Some("https://RESOURCE/.default")),
            ("https://vault.azure.net/.default", None),
            ("https://vault.azure.net/*", None),
            ("User.Read", None),
            ("*", None),
        ] {
            let doubt = doubt(text).map(String::from);
            assert_eq!(doubt.is_some(), part.is_some(), "{text}");
            assert!(doubt.unwrap_or_default().contains(part.unwrap_or_default()), "{text}");
        }
    }

    #[test]
    fn a_scope_in_full_covers_only_itself() {
        for (scope, expected) in [
            ("https://vault.azure.net/.default", true),
            ("HTTPS://Vault.Azure.net/.Default", true),
            ("https://vault.azure.net/.default2", false),
            ("https://vault.azure.net/", false),
            ("https://vault.azure.net//.default", false),
            ("https://vault.azure.net/.default ", false),
            ("https://vault.azure.net./.default", false),
            ("https://evil.example/https://vault.azure.net/.default", false),
            ("", false),
        ] {
            assert_eq!(covered("https://vault.azure.net/.default", scope), expected, "{scope}");
        }
        assert!(covered("User.Read", "user.read"));
        assert!(!covered("User.Read", "https://graph.microsoft.com/User.Read"));
    }

    #[test]
    fn a_rule_for_a_resource_covers_only_scopes_of_that_resource() {
        for (scope, expected) in [
            ("https://graph.microsoft.com/.default", true),
            ("https://graph.microsoft.com/User.Read", true),
            ("https://GRAPH.microsoft.com/user_impersonation", true),
            ("https://graph.microsoft.com/", false),
            ("https://graph.microsoft.com", false),
            ("https://graph.microsoft.com//.default", false),
            ("https://graph.microsoft.com/beta/.default", false),
            ("https://graph.microsoft.com/../vault.azure.net/.default", false),
            ("https://graph.microsoft.com/%2e%2e/x", false),
            ("https://graph.microsoft.com/%2f.default", false),
            ("https://graph.microsoft.com/.default?x", false),
            ("https://graph.microsoft.com/.default#x", false),
            ("https://graph.microsoft.com/@vault.azure.net", false),
            ("https://graph.microsoft.com/\\vault.azure.net", false),
            ("https://graph.microsoft.com/.default\u{a0}https://vault.azure.net/.default", false),
            ("https://graph.microsoft.com/\u{212a}", false), // Kelvin, a k to some
            ("https://graph.microsoft.com/*", false),
            ("https://graph.microsoft.com.evil.example/.default", false),
            ("https://graph.microsoft.com:443/.default", false),
            ("http://graph.microsoft.com/.default", false),
            ("evil://https://graph.microsoft.com/.default", false),
            ("User.Read", false),
        ] {
            assert_eq!(covered("https://graph.microsoft.com/*", scope), expected, "{scope}");
        }
        assert!(covered("https://management.azure.com//*", "https://management.azure.com//.default"));
        assert!(!covered("https://management.azure.com//*", "https://management.azure.com/.default"));
        let id = "00000003-0000-0000-c000-000000000000";
        assert!(covered(&format!("{id}/*"), &format!("{id}/.default")));
        assert!(covered("api://contoso.com/app/*", "api://contoso.com/app/Files.Read"));
        assert!(!covered("api://contoso.com/*", "api://contoso.com/app/Files.Read"));
        assert!(covered("*", "https://graph.microsoft.com/.default") && covered("*", "openid"));
    }

    #[test]
    fn a_rule_for_a_scope_of_openid_connect_allows_no_call_for_it_alone() {
        for scope in [
            "openid",
            "profile",
            "email",
            "address",
            "phone",
            "offline_access",
            "OpenID",
            "OFFLINE_ACCESS",
            "openid/",
            "/openid",
            "https://graph.microsoft.com/openid",
            "https://graph.microsoft.com//offline_access",
            "https://graph.microsoft.com/Profile/",
            "00000003-0000-0000-c000-000000000000/email",
        ] {
            let rule: AllowedScope = scope.parse().unwrap();
            assert!(rule.covers(scope) && !rule.covers_alone(scope), "{scope}");
            assert!(AllowedScope::ANY.covers_alone(scope), "{scope}");
        }
        for scope in ["User.Read", ".default", "openid.read", "https://openid/.default", "api://profile/Files.Read"] {
            assert!(scope.parse::<AllowedScope>().unwrap().covers_alone(scope), "{scope}");
        }
        let graph: AllowedScope = "https://graph.microsoft.com/*".parse().unwrap();
        assert!(graph.covers_alone("https://graph.microsoft.com/openid") && !graph.covers_alone("openid"));
    }

    #[test]
    fn a_rule_that_cannot_be_enforced_does_not_parse() {
        for text in [
            "",
            " ",
            "a b",
            "a\tb",
            "**",
            "a*",
            "*/x",
            "/*",
            "//*",
            "https:/*",
            "https://*",
            "https:///*",
            "://x/*",
            "https://*.azure.net/.default",
            "https://vault.azure.net/a*",
            "https://vault.azure.net*",
            "https://user@vault.azure.net/*",
            "https://vault.azure.net?x/*",
            "https://vault.azure.net/%2f/*",
            "a/b/*",
            "a\"b",
            "a\\b",
            "lögin/.default",
            "lögin/*",
        ] {
            assert!(text.parse::<AllowedScope>().is_err(), "{text:?}");
        }
    }
}
