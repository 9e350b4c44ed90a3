//! Settings from environment variables.

use crate::failure::Failure;

pub(crate) struct Settings {
    /// `SERVED_HOST`: the name under which clients send requests, and the port if there is one.
    pub(crate) served_host: String,
    /// `API_URL`: the URL of the API request.
    pub(crate) api: Url,
    /// `API_SCOPE`: the scope of the token.
    pub(crate) api_scope: String,
    /// `AZURE_USERNAME`: the account, if there are several.
    pub(crate) username: Option<String>,
    /// `AZURE_TENANT_ID`: the account's tenant, if there are several.
    pub(crate) tenant_id: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) plain_http: bool,
    pub(crate) authority: String,
    pub(crate) path: String,
}

impl Settings {
    pub(crate) fn parse(variables: &[(String, String)]) -> Result<Self, Failure> {
        let get = |wanted: &str| {
            let found = variables.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        let need = |name: &str| get(name).ok_or_else(|| Failure::settings(&format!("{name} is not set")));
        let api = need("API_URL")?;
        Ok(Self {
            served_host: need("SERVED_HOST")?,
            api: Url::parse(&api).ok_or_else(|| Failure::settings("API_URL is neither https nor of this machine"))?,
            api_scope: need("API_SCOPE")?,
            username: get("AZURE_USERNAME"),
            tenant_id: get("AZURE_TENANT_ID"),
        })
    }
}

impl Url {
    /// A token must not travel in plain text, so plain HTTP is for this machine alone.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.split_once(':').map_or(authority, |(host, _)| host);
        let local =
            host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
        let plain_http = match scheme {
            "https" => false,
            "http" if local => true,
            _ => return None,
        };
        let good = !host.is_empty() && !authority.contains(['@', '?', '#']);
        let path = if path.is_empty() { "/" } else { path };
        good.then(|| Self { plain_http, authority: authority.to_owned(), path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_asked_over_https_or_on_this_machine() {
        for (text, plain_http, authority, path) in [
            ("https://graph.contoso.com/v1.0/me?$select=id", false, "graph.contoso.com", "/v1.0/me?$select=id"),
            ("https://graph.contoso.com:8443", false, "graph.contoso.com:8443", "/"),
            ("http://127.0.0.1:8080/me", true, "127.0.0.1:8080", "/me"),
            ("http://localhost:8080/me", true, "localhost:8080", "/me"),
        ] {
            let url = Url { plain_http, authority: authority.to_owned(), path: path.to_owned() };
            assert_eq!(Url::parse(text), Some(url));
        }
        for text in [
            "http://graph.contoso.com/me",
            "http://10.0.0.1/me",
            "http://127.0.0.1@contoso.com/me",
            "http://127.0.0.1:80@contoso.com/me",
            "http://localhost.contoso.com/me",
            "https:///me",
            "https://user@contoso.com/me",
            "https://contoso.com?me",
            "ftp://contoso.com/me",
            "graph.contoso.com/me",
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }

    #[test]
    fn missing_settings_are_named() {
        let all = [("SERVED_HOST", "localhost:8000"), ("API_URL", "https://contoso.com/me"), ("API_SCOPE", "s")];
        for (missing, _) in all {
            let others = all.iter().filter(|(name, _)| *name != missing);
            let variables: Vec<_> = others.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let failure = Settings::parse(&variables).err().unwrap();
            assert!(failure.to_json().to_string().contains(missing), "{missing}");
        }
    }
}
