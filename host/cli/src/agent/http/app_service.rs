//! The protocol of managed identities on Azure App Service (`IDENTITY_ENDPOINT`), and its variant
//! on Azure Machine Learning (`MSI_ENDPOINT`). Clients parse numbers from strings. Some use the
//! last of `expires_on` and `expires_in`, so their order matters.

use hyper::{Method, Request, StatusCode};
use serde::Serialize;
use shared_token_cache::AccessToken;
use shared_token_cache_entra::client::AZURE_CLI;

use super::Site;
use super::clients::Client;
use super::reply::{Refusal, Reply, json};
use super::select::{Chosen, select};
use super::tokens::{ProfileTokens, now};

/// The path of the endpoint.
pub(super) const PATH: &str = "/msi/token";

/// The longest accepted resource or scope.
const LONGEST: usize = 1024;

/// The dialects. They differ in the header of the key and in the parameters that name an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    AppService,
    MachineLearning,
}

impl Dialect {
    /// The operation in the audit.
    pub(super) fn operation(self) -> &'static str {
        match self {
            Self::AppService => "http.app-service",
            Self::MachineLearning => "http.azure-ml",
        }
    }

    pub(super) fn key_header(self) -> &'static str {
        match self {
            Self::AppService => "x-identity-header",
            Self::MachineLearning => "secret",
        }
    }

    fn selectors(self) -> &'static [&'static str] {
        match self {
            Self::AppService => &["client_id", "object_id", "mi_res_id"],
            Self::MachineLearning => &["clientid", "client_id"],
        }
    }
}

/// The content of a request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) dialect: Dialect,
    resource: Result<String, Refusal>,
    /// The values of `client_id` and similar parameters.
    identities: Vec<String>,
}

/// Reads a request, before its key is checked. `key_in_path` also accepts the version of the
/// metadata service, which Terraform sends.
pub(super) fn read<B>(request: &Request<B>, key_in_path: bool) -> Result<Asked, Refusal> {
    if request.method() != Method::GET {
        let message = "the endpoint of managed identities takes GET requests only";
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "method", message));
    }
    let query = request.uri().query().unwrap_or_default();
    let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let all = |name: &str| {
        let named = parameters.iter().filter(|(other, _)| other == name);
        named.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let versions = all("api-version");
    let dialect = match versions.as_slice() {
        [version] if version == "2019-08-01" => Dialect::AppService,
        [version] if version == "2017-09-01" => Dialect::MachineLearning,
        [version] if version == "2018-02-01" && key_in_path => Dialect::AppService,
        _ => {
            let message = "the query needs one api-version: 2019-08-01, or 2017-09-01 with the header `secret`";
            return Err(Refusal::invalid("api-version", message));
        }
    };
    let identities = dialect.selectors().iter().flat_map(|name| all(name)).collect();
    Ok(Asked { dialect, resource: resource(&all("resource")), identities })
}

fn resource(values: &[String]) -> Result<String, Refusal> {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    match values {
        [resource] if (1..=LONGEST).contains(&resource.len()) && is_plain(resource) => Ok(resource.clone()),
        _ => Err(Refusal::invalid("resource", "the query needs one resource, such as https://vault.azure.net")),
    }
}

impl Asked {
    /// The scope of the resource. A trailing slash is part of the audience, so it stays.
    pub(super) fn scopes(&self) -> Vec<String> {
        self.resource.iter().map(|resource| format!("{resource}/.default")).collect()
    }

    /// The client's profile that serves the request.
    pub(super) fn choose<'a>(&self, site: &'a Site, client: &'a Client) -> Result<Chosen<'a>, Refusal> {
        if let Err(refusal) = &self.resource {
            return Err(refusal.clone());
        }
        select(site, client, &self.scopes(), &self.identities, None)
    }

    /// The response with the token.
    pub(super) fn reply(&self, token: &AccessToken, profile: &ProfileTokens) -> Reply {
        #[derive(Serialize)]
        struct Body<'a> {
            access_token: &'a str,
            expires_in: String,
            expires_on: String,
            resource: &'a str,
            token_type: &'a str,
            client_id: &'a str,
        }
        let text = token.token.expose();
        let body = Body {
            access_token: text,
            expires_in: token.expires_on.saturating_sub(now()).to_string(),
            expires_on: token.expires_on.to_string(),
            resource: self.resource.as_deref().unwrap_or_default(),
            token_type: &token.token_type,
            client_id: profile.client_id().unwrap_or(AZURE_CLI),
        };
        json(StatusCode::OK, &body, text.len().max(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: Method, query: &str, key_in_path: bool) -> Result<Asked, Refusal> {
        let request = Request::builder().method(method).uri(format!("/msi/token?{query}")).body(()).unwrap();
        super::read(&request, key_in_path)
    }

    #[test]
    fn the_resource_is_the_scope_before_its_ending_as_each_client_writes_it() {
        for (resource, scope) in [
            // Python does not percent-encode the resource, the others do.
            ("https://vault.azure.net", "https://vault.azure.net/.default"),
            ("https%3A%2F%2Fvault.azure.net", "https://vault.azure.net/.default"),
            ("https%3A%2F%2Fmanagement.core.windows.net%2F", "https://management.core.windows.net//.default"),
            ("499b84ac-1321-427f-aa17-267ca6975798", "499b84ac-1321-427f-aa17-267ca6975798/.default"),
        ] {
            let asked = read(Method::GET, &format!("api-version=2019-08-01&resource={resource}"), false).unwrap();
            assert_eq!(asked.scopes(), [scope], "{resource}");
        }
        for query in ["", "resource=", "resource=a&resource=b", "resource=a%20b", "resource=a%0ab", "resource=%C3%A4"] {
            let asked = read(Method::GET, &format!("api-version=2019-08-01&{query}"), false).unwrap();
            assert!(asked.scopes().is_empty() && asked.resource.unwrap_err().status == 400, "{query}");
        }
        let long = "x".repeat(LONGEST + 1);
        assert!(
            read(Method::GET, &format!("api-version=2019-08-01&resource={long}"), false).unwrap().resource.is_err()
        );
    }

    #[test]
    fn the_version_decides_the_dialect_and_other_versions_are_refused() {
        let dialect = |query: &str, key_in_path| read(Method::GET, query, key_in_path).map(|asked| asked.dialect);
        assert_eq!(dialect("api-version=2019-08-01", false), Ok(Dialect::AppService));
        assert_eq!(dialect("api-version=2017-09-01", false), Ok(Dialect::MachineLearning));
        assert_eq!(dialect("api-version=2018-02-01", true), Ok(Dialect::AppService));
        for query in ["", "api-version=2018-02-01", "api-version=2019-08-01&api-version=2017-09-01", "api-version=1"] {
            assert_eq!(dialect(query, false).unwrap_err().status, 400, "{query}");
        }
        assert_eq!(read(Method::POST, "api-version=2019-08-01", false).unwrap_err().status, 405);
    }
}
