//! Which requests go out.

use crate::settings::Settings;

/// Hosts of Microsoft's clouds that issue tokens; the rows of `host/policy`, and a test compares the two.
const ENTRA_CLOUDS: &[&str] = &[
    "login.microsoftonline.com",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "login.microsoftonline.us",
    "login-us.microsoftonline.com",
    "login.microsoftonline.de",
    "login.sovcloud-identity.fr",
    "login.sovcloud-identity.de",
    "login.sovcloud-identity.sg",
    "login.windows.net",
    "login.microsoft.com",
    "login.usgovcloudapi.net",
    "sts.windows.net",
];

/// The header fields that the component may set.
const ALLOWED_HEADERS: &[&str] = &["x-anchormailbox", "x-client-sku", "x-client-ver"];

/// Where a token request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint<'a> {
    /// Host, with its port unless that is 443.
    pub(crate) authority: &'a str,
    pub(crate) path: &'a str,
    pub(crate) plain_http: bool,
}

impl<'a> Endpoint<'a> {
    /// Takes the URL of a token endpoint of an allowed authority, and nothing else.
    pub(crate) fn parse(url: &'a str, settings: &Settings) -> Result<Self, String> {
        let malformed = "a request goes to https://<authority>/<tenant>/oauth2/v2.0/token, or to /adfs/oauth2/token, and nowhere else";
        let rest = url.strip_prefix("https://").ok_or(malformed)?;
        let (authority, path) = rest.split_at(rest.find('/').ok_or(malformed)?);
        let tenant = match path {
            // AD FS has no tenants, and no version 2.0.
            "/adfs/oauth2/token" => "adfs",
            path => path.strip_prefix('/').and_then(|path| path.strip_suffix("/oauth2/v2.0/token")).ok_or(malformed)?,
        };
        if tenant.is_empty()
            || tenant.starts_with('.')
            || !tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        {
            return Err(malformed.into());
        }
        let plain_http = settings.plain_http.as_deref() == Some(authority);
        let listed = ENTRA_CLOUDS.contains(&authority)
            || settings.default_authority == authority
            || settings.authorities.iter().any(|allowed| allowed == authority);
        if plain_http || listed {
            Ok(Self { authority, path, plain_http })
        } else {
            let variable = crate::settings::variables::AUTHORITIES;
            Err(format!("the authority {authority:?} is not allowed; name it in the environment variable {variable}"))
        }
    }
}

/// Whether the component may set this header field.
pub(crate) fn may_set(name: &str, value: &str) -> bool {
    ALLOWED_HEADERS.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
        && value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::parse;

    #[test]
    fn requests_go_to_token_endpoints_of_allowed_authorities() {
        let settings = parse(&[
            ("AZURE_AUTHORITY_HOST", "login.contoso.com"),
            ("SHARED_TOKEN_CACHE_AUTHORITIES", "localhost:8443"),
            ("SHARED_TOKEN_CACHE_PLAIN_HTTP", "127.0.0.1:8080"),
        ])
        .unwrap();
        for (authority, plain) in [
            ("login.microsoftonline.com", false),
            ("login.contoso.com", false),
            ("localhost:8443", false),
            ("127.0.0.1:8080", true),
        ] {
            let url = format!("https://{authority}/contoso.com/oauth2/v2.0/token");
            let endpoint = Endpoint::parse(&url, &settings).unwrap();
            let path = "/contoso.com/oauth2/v2.0/token";
            assert_eq!(endpoint, Endpoint { authority, path, plain_http: plain });
            let url = format!("https://{authority}/adfs/oauth2/token");
            assert_eq!(Endpoint::parse(&url, &settings).unwrap().path, "/adfs/oauth2/token");
        }
        for url in [
            "http://127.0.0.1:8080/t/oauth2/v2.0/token",
            "https://127.0.0.1/t/oauth2/v2.0/token",
            "https://localhost/t/oauth2/v2.0/token",
            "https://evil.example/t/oauth2/v2.0/token",
            "https://login.microsoftonline.com.evil.example/t/oauth2/v2.0/token",
            "https://login.microsoftonline.com./t/oauth2/v2.0/token",
            "https://LOGIN.microsoftonline.com/t/oauth2/v2.0/token",
            "https://u@login.microsoftonline.com/t/oauth2/v2.0/token",
            "https://login.microsoftonline.com:444/t/oauth2/v2.0/token",
            "https://login.microsoftonline.com/t/oauth2/v2.0/token?x",
            "https://login.microsoftonline.com/t/oauth2/v2.0/token#x",
            "https://login.microsoftonline.com/t/oauth2/v2.0/devicecode",
            "https://login.microsoftonline.com/t/x/oauth2/v2.0/token",
            "https://login.microsoftonline.com//oauth2/v2.0/token",
            "https://login.microsoftonline.com/t/oauth2/token",
            "https://login.microsoftonline.com/ADFS/oauth2/token",
            "https://evil.example/adfs/oauth2/token",
            "https://login.microsoftonline.com/../oauth2/v2.0/token",
            "https://login.microsoftonline.com",
        ] {
            assert!(Endpoint::parse(url, &settings).is_err(), "{url}");
        }
    }

    #[test]
    fn the_clouds_are_those_of_the_policy() {
        let policy = include_str!("../../../host/policy/src/lib.rs");
        let (_, table) = policy.split_once("const ENTRA_CLOUDS: &[&str] = &[").unwrap();
        let (table, _) = table.split_once("];").unwrap();
        let hosts: Vec<_> = table.split('"').skip(1).step_by(2).collect();
        assert_eq!(hosts, ENTRA_CLOUDS);
    }

    #[test]
    fn few_header_fields_may_be_set() {
        assert!(may_set("X-AnchorMailbox", "Oid:1@2"));
        for (name, value) in [("authorization", "x"), ("host", "x"), ("x-client-sku", "a\nb"), ("x-client-sku", "ü")] {
            assert!(!may_set(name, value), "{name}");
        }
    }
}
