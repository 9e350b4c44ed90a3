use shared_token_cache_entra::cloud;
use shared_token_cache_entra::tenant::ADFS;

use crate::error::Error;

/// An authority's host, in lower case, with the port if one was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// Accepts a host, or a host with `https://` and slashes, as azure-identity does.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |why: &str| {
            Error::InvalidArgument(format!(
                "the authority {text:?} {why}; give a host such as `login.microsoftonline.com`"
            ))
        };
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
            Some(_) => return Err(invalid("is not an https URL")),
            None => text,
        };
        let rest = rest.trim_end_matches([' ', '/']);
        if rest.contains(['/', '?', '#', '@']) {
            return Err(invalid("has more than a host and a port"));
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse().ok().filter(|port| *port > 0);
                let port = port.ok_or_else(|| invalid("has a port that is no number from 1 to 65535"))?;
                (host, Some(port).filter(|port| *port != 443))
            }
            None => (rest, None),
        };
        if !is_host_name(host) {
            return Err(invalid("is not a host name"));
        }
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }

    /// The `environment` of new cache entries: the host without a port, as MSAL writes it.
    pub(crate) fn environment(&self) -> &str {
        &self.host
    }

    /// Whether a cache entry of `environment` belongs to this authority.
    pub(crate) fn has_alias(&self, environment: &str) -> bool {
        cloud::is_same(&self.host, environment)
    }

    /// Whether this is an authority for customer identities (CIAM), which has one tenant of its own
    /// and no `organizations`.
    pub(crate) fn is_of_customers(&self) -> bool {
        cloud::is_of_customers(&self.host)
    }

    /// The token endpoint of `tenant`, version 2.0. AD FS has an endpoint without a version.
    pub(crate) fn token_endpoint(&self, tenant: &str) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let version = if tenant == ADFS { "" } else { "v2.0/" };
        format!("https://{}{port}/{tenant}/oauth2/{version}token", self.host)
    }
}

fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_with_or_without_https() {
        for (text, endpoint) in [
            ("login.microsoftonline.com", "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"),
            (
                "https://login.microsoftonline.com//  ",
                "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token",
            ),
            ("HTTPS://Login.MicrosoftOnline.US", "https://login.microsoftonline.us/contoso.com/oauth2/v2.0/token"),
            ("localhost:8443", "https://localhost:8443/contoso.com/oauth2/v2.0/token"),
            ("https://localhost:443/", "https://localhost/contoso.com/oauth2/v2.0/token"),
        ] {
            assert_eq!(Authority::parse(text).unwrap().token_endpoint("contoso.com"), endpoint, "{text:?}");
        }
    }

    #[test]
    fn ad_fs_has_an_endpoint_without_a_version() {
        let authority = Authority::parse("adfs.contoso.com").unwrap();
        assert_eq!(authority.token_endpoint("adfs"), "https://adfs.contoso.com/adfs/oauth2/token");
    }

    #[test]
    fn an_authority_of_customers_is_recognised_by_its_domain() {
        for (host, expected) in [
            ("contoso.ciamlogin.com", true),
            ("Contoso.CIAMlogin.com:443", true),
            ("ciamlogin.com", false),
            ("contoso.ciamlogin.com.evil.example", false),
            ("contosociamlogin.com", false),
        ] {
            assert_eq!(Authority::parse(host).unwrap().is_of_customers(), expected, "{host}");
        }
    }

    #[test]
    fn text_other_than_an_https_host_is_refused() {
        for text in [
            "",
            "https://",
            "http://login.microsoftonline.com",
            "ftp://login.microsoftonline.com",
            "https://login.microsoftonline.com@evil.example",
            "login.microsoftonline.com/path",
            "login.microsoftonline.com?x",
            "login.microsoftonline.com:https",
            "login..com",
            "login.microsoftonline.com.",
            "lögin.example",
        ] {
            let error = Authority::parse(text).unwrap_err();
            assert!(matches!(error, Error::InvalidArgument(_)), "{text:?}");
        }
    }

    #[test]
    fn the_error_names_the_fault_of_an_authority() {
        for (text, part) in [
            ("https://localhost:8443/x", "more than a host and a port"),
            ("localhost:8443#", "more than a host and a port"),
            ("localhost:8443?x", "more than a host and a port"),
            ("user0@localhost:8443", "more than a host and a port"),
            ("localhost:0", "no number from 1 to 65535"),
            ("localhost:65536", "no number from 1 to 65535"),
            ("localhost:x", "no number from 1 to 65535"),
            ("localhost:", "no number from 1 to 65535"),
        ] {
            let error = Authority::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn hosts_of_one_cloud_are_aliases_and_others_are_not() {
        for cloud in cloud::CLOUDS {
            for host in cloud {
                let authority = Authority::parse(host).unwrap();
                for other in cloud::hosts() {
                    assert_eq!(authority.has_alias(other), cloud.contains(&other), "{host} and {other}");
                }
            }
        }
        let unknown = Authority::parse("login.contoso.com").unwrap();
        assert!(unknown.has_alias("Login.Contoso.com"));
        assert!(!unknown.has_alias("login.microsoftonline.com"));
    }
}
