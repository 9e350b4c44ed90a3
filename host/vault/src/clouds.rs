//! Which hosts are one cloud.

/// The rows of the guest's own table (`guest/core/src/types/authority.rs`); a test compares the two.
const CLOUDS: &[&[&str]] = &[
    &["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
    &["login.microsoftonline.us", "login.usgovcloudapi.net"],
    &["login.microsoftonline.de"],
    &["login-us.microsoftonline.com"],
    &["login.sovcloud-identity.fr"],
    &["login.sovcloud-identity.de"],
    &["login.sovcloud-identity.sg"],
];

/// Whether two hosts are names of one environment.
pub(crate) fn same_cloud(one: &str, other: &str) -> bool {
    let has = |cloud: &[&str], host: &str| cloud.iter().any(|alias| alias.eq_ignore_ascii_case(host));
    one.eq_ignore_ascii_case(other) || CLOUDS.iter().any(|cloud| has(cloud, one) && has(cloud, other))
}

/// The host of an authority that may be written with a scheme, a port or slashes.
pub(crate) fn host(authority: &str) -> &str {
    let bare = authority.split_once("://").map_or(authority, |(_, rest)| rest).trim_end_matches([' ', '/']);
    bare.rsplit_once(':').map_or(bare, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_that_of_the_guest() {
        let guest = include_str!("../../../guest/core/src/types/authority.rs");
        let (_, table) = guest.split_once("const CLOUDS").unwrap();
        let (table, _) = table.split_once("];").unwrap();
        let rows: Vec<Vec<&str>> = table
            .lines()
            .filter(|line| line.contains("&[\""))
            .map(|line| line.split('"').skip(1).step_by(2).collect())
            .collect();
        assert_eq!(rows, CLOUDS.iter().map(|cloud| cloud.to_vec()).collect::<Vec<_>>());
    }

    #[test]
    fn an_unknown_host_is_its_own_cloud() {
        assert!(same_cloud("Login.Windows.net", "login.microsoftonline.com"));
        assert!(same_cloud("login.contoso.com", "LOGIN.contoso.com"));
        assert!(!same_cloud("login.contoso.com", "login.microsoftonline.com"));
        assert!(!same_cloud("login.microsoftonline.us", "login.microsoftonline.com"));
    }

    #[test]
    fn a_host_is_found_in_an_authority() {
        for authority in ["login.contoso.com", "https://login.contoso.com/ ", "login.contoso.com:8443"] {
            assert_eq!(host(authority), "login.contoso.com");
        }
    }
}
