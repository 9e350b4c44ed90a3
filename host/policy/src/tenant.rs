use std::fmt;
use std::str::FromStr;

use shared_token_cache_entra::tenant::means_home;

use crate::InvalidValue;

/// The tenants whose tokens are allowed: one, by the name in the request, or all.
///
/// The home tenant of an account is known by its id only. So write the id where tokens are
/// requested from `organizations`. Names are compared without case.
///
/// ```
/// use shared_token_cache_policy::AllowedTenant;
///
/// let contoso: AllowedTenant = "contoso.com".parse()?;
/// assert!(contoso.covers("Contoso.com"));
/// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AllowedTenant(Option<String>);

impl AllowedTenant {
    /// All tenants.
    pub const ANY: Self = Self(None);

    /// Whether a tenant is allowed.
    #[must_use]
    pub fn covers(&self, tenant: &str) -> bool {
        self.0.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(tenant))
    }

    /// Whether all tenants are allowed, including unknown ones.
    pub(crate) fn is_any(&self) -> bool {
        self.0.is_none()
    }
}

impl FromStr for AllowedTenant {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == "*" {
            return Ok(Self::ANY);
        }
        if means_home(text) {
            let what = format!("{text:?} means every account's own tenant");
            return Err(InvalidValue::new(what, "write the tenant's id, or `*` for any"));
        }
        let good = !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
            && text.split('.').all(|label| !label.is_empty());
        if good {
            Ok(Self(Some(text.to_ascii_lowercase())))
        } else {
            let instead = "write its id or its domain, such as `contoso.com`, or `*` for any";
            Err(InvalidValue::new(format!("{text:?} is not a tenant"), instead))
        }
    }
}

impl fmt::Display for AllowedTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_covers_only_itself() {
        let covered = |rule: &str, tenant: &str| rule.parse::<AllowedTenant>().unwrap().covers(tenant);
        for (tenant, expected) in [
            ("contoso.com", true),
            ("CONTOSO.com", true),
            ("contoso.com.", false),
            ("contoso.com.evil.example", false),
            ("evil.contoso.com", false),
            ("contoso", false),
            ("", false),
            ("organizations", false),
        ] {
            assert_eq!(covered("Contoso.com", tenant), expected, "{tenant}");
            assert!(covered("*", tenant));
        }
        assert!("*".parse::<AllowedTenant>().unwrap().is_any() && !"a".parse::<AllowedTenant>().unwrap().is_any());
    }

    #[test]
    fn a_text_that_is_not_a_tenant_does_not_parse() {
        for text in [
            "",
            " ",
            "*.com",
            "**",
            "a/b",
            "a b",
            "a%2fb",
            "ä.example",
            "common",
            "Organizations",
            "consumers",
            "a_b",
            "contoso.com.",
            ".contoso.com",
            "contoso..com",
        ] {
            assert!(text.parse::<AllowedTenant>().is_err(), "{text:?}");
        }
    }
}
