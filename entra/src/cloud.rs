//! Microsoft's clouds, and the hosts of their authorities.

/// The clouds. The hosts of a row are aliases: a token cached under one is valid for all, and each
/// of them issues tokens.
///
/// The rows are azure-identity's `KNOWN_ALIASES`, `login-us.microsoftonline.com`, which MSAL treats
/// as a cloud of its own, and the sovereign clouds that MSAL 1.39 trusts.
pub const CLOUDS: [&[&str]; 8] = [
    &["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
    &["login.microsoftonline.us", "login.usgovcloudapi.net"],
    &["login.microsoftonline.de"],
    &["login-us.microsoftonline.com"],
    &["login.sovcloud-identity.fr"],
    &["login.sovcloud-identity.de"],
    &["login.sovcloud-identity.sg"],
];

/// The default authority.
pub const DEFAULT_HOST: &str = "login.microsoftonline.com";

/// The domain of authorities for customer identities (CIAM), which have one tenant of their own and
/// no `organizations`.
const CUSTOMERS: &str = ".ciamlogin.com";

/// All hosts of all clouds.
pub fn hosts() -> impl Iterator<Item = &'static str> {
    CLOUDS.into_iter().flatten().copied()
}

/// Whether two hosts are aliases of one cloud. An unknown host is a cloud of its own.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    let has = |cloud: &[&str], host: &str| cloud.iter().any(|alias| alias.eq_ignore_ascii_case(host));
    one.eq_ignore_ascii_case(other) || CLOUDS.iter().any(|cloud| has(cloud, one) && has(cloud, other))
}

/// Whether a host is an authority for customer identities (CIAM).
#[must_use]
pub fn is_of_customers(host: &str) -> bool {
    let end = host.len().checked_sub(CUSTOMERS.len()).and_then(|start| host.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(CUSTOMERS))
}

/// The host of an authority that may be written with a scheme, a port or slashes.
#[must_use]
pub fn host_of(authority: &str) -> &str {
    let bare = authority.split_once("://").map_or(authority, |(_, rest)| rest).trim_end_matches([' ', '/']);
    bare.rsplit_once(':').map_or(bare, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_cloud_are_one_environment_and_others_are_not() {
        for cloud in CLOUDS {
            for host in cloud {
                for other in hosts() {
                    assert_eq!(is_same(host, other), cloud.contains(&other), "{host} and {other}");
                }
            }
        }
        assert!(hosts().any(|host| host == DEFAULT_HOST));
    }

    #[test]
    fn an_unknown_host_is_its_own_cloud() {
        assert!(is_same("Login.Windows.net", "login.microsoftonline.com"));
        assert!(is_same("login.contoso.com", "LOGIN.contoso.com"));
        assert!(!is_same("login.contoso.com", "login.microsoftonline.com"));
        assert!(!is_same("login.microsoftonline.us", "login.microsoftonline.com"));
    }

    #[test]
    fn an_authority_of_customers_is_recognised_by_its_domain() {
        for (host, expected) in [
            ("contoso.ciamlogin.com", true),
            ("Contoso.CIAMlogin.com", true),
            ("ciamlogin.com", false),
            ("contoso.ciamlogin.com.evil.example", false),
            ("contosociamlogin.com", false),
            ("é.ciamlogin.co", false),
            ("", false),
        ] {
            assert_eq!(is_of_customers(host), expected, "{host}");
        }
    }

    #[test]
    fn a_host_is_found_in_an_authority() {
        for authority in ["login.contoso.com", "https://login.contoso.com/ ", "login.contoso.com:8443"] {
            assert_eq!(host_of(authority), "login.contoso.com");
        }
    }
}
