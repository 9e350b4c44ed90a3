//! Tenant names that are aliases, and not the name of one tenant.

/// The tenant of every work or school account: the authority finds the home tenant by itself.
pub const ORGANIZATIONS: &str = "organizations";

/// The tenant of every account.
pub const COMMON: &str = "common";

/// The tenant of every personal account.
pub const CONSUMERS: &str = "consumers";

/// The name under which AD FS answers. It has no tenants.
pub const ADFS: &str = "adfs";

/// The tenant in which personal accounts live. It serves no resource of Azure: such an account is a
/// guest wherever it is used.
pub const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Whether a tenant's name is that of AD FS.
#[must_use]
pub fn is_adfs(name: &str) -> bool {
    name.eq_ignore_ascii_case(ADFS)
}

/// Whether a name is an alias of the account's home tenant.
#[must_use]
pub fn means_home(name: &str) -> bool {
    is_home_realm(name) || name.eq_ignore_ascii_case(CONSUMERS)
}

/// Whether a token that is cached under this realm is of the tenant that a work or school account
/// lives in. MSAL caches a token under the tenant that was named in the request.
#[must_use]
pub fn is_home_realm(realm: &str) -> bool {
    [ORGANIZATIONS, COMMON].iter().any(|name| name.eq_ignore_ascii_case(realm))
}

/// Whether a text can be a tenant's segment of a URL: a GUID or a domain, in letters, digits, `-`
/// and `.`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    // Dots alone would be a path segment such as `..`.
    text.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_of_the_home_tenant_are_compared_without_case() {
        for (name, home, realm) in [
            ("organizations", true, true),
            ("Common", true, true),
            ("CONSUMERS", true, false),
            ("contoso.com", false, false),
            ("adfs", false, false),
            ("", false, false),
        ] {
            assert_eq!((means_home(name), is_home_realm(name)), (home, realm), "{name}");
        }
        assert!(is_adfs("ADFS") && !is_adfs("adfs2"));
    }

    #[test]
    fn a_tenant_has_letters_digits_dashes_and_dots() {
        for text in ["contoso.com", PERSONAL, ORGANIZATIONS] {
            assert!(is_name(text), "{text:?}");
        }
        for text in ["", ".", "..", "a/b", "a b", "a?b", "a%2e", "a_b", "ü"] {
            assert!(!is_name(text), "{text:?}");
        }
    }
}
