use std::fmt;
use std::str::FromStr;

use crate::InvalidValue;

/// The accounts whose tokens are allowed: one, by its username or its id, or all.
///
/// A username has an `@`. An id is MSAL's home account id, `<object id>.<tenant id>`. Both are
/// compared without ASCII case.
///
/// ```
/// use shared_token_cache_policy::AllowedAccount;
///
/// let account: AllowedAccount = "user0@contoso.com".parse()?;
/// assert!(account.covers("User0@contoso.com", "uid.utid"));
/// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AllowedAccount(Rule);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Rule {
    Any,
    Username(String),
    Id(String),
}

impl AllowedAccount {
    /// All accounts.
    pub const ANY: Self = Self(Rule::Any);

    /// Whether an account is allowed.
    #[must_use]
    pub fn covers(&self, username: &str, home_account_id: &str) -> bool {
        match &self.0 {
            Rule::Any => true,
            Rule::Username(name) => name.eq_ignore_ascii_case(username),
            Rule::Id(id) => id.eq_ignore_ascii_case(home_account_id),
        }
    }

    pub(crate) fn is_username(&self) -> bool {
        matches!(self.0, Rule::Username(_))
    }

    /// Whether an account with this username and an unknown id may be allowed.
    pub(crate) fn may_cover(&self, username: &str) -> bool {
        matches!(self.0, Rule::Id(_)) || self.covers(username, "")
    }
}

impl FromStr for AllowedAccount {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let good = |text: &str| {
            !text.is_empty() && !text.contains(|character: char| character.is_whitespace() || character.is_control())
        };
        let lower = text.to_ascii_lowercase();
        let rule = match (text.rsplit_once('@'), text.split_once('.')) {
            _ if text == "*" => Some(Rule::Any),
            _ if text.contains('*') => None,
            (Some((name, domain)), _) => (good(name) && good(domain)).then_some(Rule::Username(lower)),
            (None, Some((object, tenant))) => {
                (good(object) && good(tenant) && !tenant.contains('.')).then_some(Rule::Id(lower))
            }
            (None, None) => None,
        };
        rule.map(Self).ok_or_else(|| {
            let instead =
                "write a username such as `user0@contoso.com`, an id such as `<object id>.<tenant id>`, or `*`";
            InvalidValue::new(format!("{text:?} is not an account"), instead)
        })
    }
}

impl fmt::Display for AllowedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Rule::Any => f.write_str("*"),
            Rule::Username(text) | Rule::Id(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_identified_by_its_username_or_its_id() {
        let covered = |rule: &str, name: &str, id: &str| rule.parse::<AllowedAccount>().unwrap().covers(name, id);
        for (rule, username, id, expected) in [
            ("user0@contoso.com", "user0@contoso.com", "u.t", true),
            ("User0@contoso.com", "user0@CONTOSO.com", "u.t", true),
            ("user0@contoso.com", "user0@contoso.com.evil.example", "u.t", false),
            ("user0@contoso.com", "xuser0@contoso.com", "u.t", false),
            ("user0@contoso.com", "", "user0@contoso.com", false),
            ("k@contoso.com", "\u{212a}@contoso.com", "u.t", false), // Kelvin, a k to some
            ("u.t", "someone@contoso.com", "u.t", true),
            ("U.t", "", "u.T", true),
            ("u.t", "u.t", "x.t", false),
            ("u.t", "someone@contoso.com", "u.tt", false),
            ("*", "", "", true),
        ] {
            assert_eq!(covered(rule, username, id), expected, "{rule} {username} {id}");
        }
    }

    #[test]
    fn a_text_that_is_not_an_account_does_not_parse() {
        for text in [
            "",
            "user0",
            "@",
            "@x",
            "x@",
            "*@contoso.com",
            "user0@*",
            "**",
            "a b@c",
            "a@b c",
            "a@b\u{0}",
            "a.",
            ".b",
            "a.b.c",
            "a .b",
            "a\n.b",
            "a.b\u{a0}",
        ] {
            assert!(text.parse::<AllowedAccount>().is_err(), "{text:?}");
        }
    }
}
