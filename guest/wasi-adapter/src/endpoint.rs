//! The check of token requests.

use shared_token_cache_entra::cloud;
use shared_token_cache_entra::tenant::ADFS;

use crate::settings::{Settings, variables};

/// The destination of a token request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint<'a> {
    /// Host, with its port unless that is 443.
    pub(crate) authority: &'a str,
    pub(crate) path: &'a str,
    pub(crate) plain_http: bool,
}

impl<'a> Endpoint<'a> {
    /// Accepts only the URL of a token endpoint of an allowed authority.
    pub(crate) fn parse(url: &'a str, settings: &Settings) -> Result<Self, String> {
        let malformed = "a request goes to https://<authority>/<tenant>/oauth2/v2.0/token, or to /adfs/oauth2/token, and nowhere else";
        let rest = url.strip_prefix("https://").ok_or(malformed)?;
        let (authority, path) = rest.split_at(rest.find('/').ok_or(malformed)?);
        let tenant = match path {
            // AD FS has no tenants, and no version 2.0.
            "/adfs/oauth2/token" => ADFS,
            path => path.strip_prefix('/').and_then(|path| path.strip_suffix("/oauth2/v2.0/token")).ok_or(malformed)?,
        };
        if tenant.is_empty()
            || tenant.starts_with('.')
            || !tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        {
            return Err(malformed.into());
        }
        let plain_http = settings.plain_http.as_deref() == Some(authority);
        let listed = cloud::hosts().any(|host| host == authority)
            || settings.default_authority == authority
            || settings.authorities.iter().any(|allowed| allowed == authority);
        if plain_http || listed {
            Ok(Self { authority, path, plain_http })
        } else {
            let variable = variables::AUTHORITIES;
            Err(format!("the authority {authority:?} is not allowed; name it in the environment variable {variable}"))
        }
    }
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
}
