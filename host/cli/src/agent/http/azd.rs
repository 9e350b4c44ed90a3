//! The protocol of the Azure Developer CLI (`AZD_AUTH_ENDPOINT`). Its client reads errors from
//! responses with status 200 only, and needs both a code and a message in them.

use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::{Method, Request, StatusCode, header};
use serde::{Deserialize, Serialize};
use shared_token_cache::AccessToken;

use super::Site;
use super::clients::Client;
use super::reply::{Refusal, Reply, json};
use super::select::{Chosen, select};
use crate::times;

/// The path of the endpoint.
pub(super) const PATH: &str = "/token";

/// The operation in the audit.
pub(super) const OPERATION: &str = "http.azd";

const VERSION: &str = "api-version=2023-07-12-preview";

/// The largest body. A request holds a few scopes and a tenant.
const LARGEST: usize = 16 << 10;

/// The time limit for the body.
const PATIENCE: Duration = Duration::from_secs(5);

/// The content of a request.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    pub(super) scopes: Vec<String>,
    #[serde(rename = "tenantId", default)]
    tenant: Option<String>,
}

/// Reads the head of a request, before its key is checked.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), Refusal> {
    if request.method() != Method::POST {
        let message = "the endpoint of azd takes POST requests only";
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "method", message));
    }
    let query = request.uri().query().unwrap_or_default();
    if query.split('&').any(|parameter| parameter == VERSION) {
        Ok(())
    } else {
        Err(Refusal::invalid("api-version", format!("the query needs {VERSION}")))
    }
}

/// The key of a request.
pub(super) fn key<B>(request: &Request<B>) -> Option<&[u8]> {
    let value = request.headers().get(header::AUTHORIZATION)?.as_bytes();
    value.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer ")).map(|(_, key)| key)
}

/// Reads the body of a request, after its key was checked.
pub(super) async fn read(request: Request<Incoming>) -> Result<Asked, Refusal> {
    let too_large = || {
        let message = format!("the body is larger than {LARGEST} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "body", message)
    };
    let wrong = || Refusal::invalid("body", "the body is not a JSON object with a list of `scopes`");
    if request.body().size_hint().lower() > LARGEST as u64 {
        return Err(too_large());
    }
    let body = Limited::new(request.into_body(), LARGEST).collect();
    let body = tokio::time::timeout(PATIENCE, body).await;
    let body = body.map_err(|_| Refusal::invalid("body", "the body did not arrive in time"))?;
    let bytes = body.map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
        true => too_large(),
        false => wrong(),
    })?;
    let asked: Asked = serde_json::from_slice(&bytes.to_bytes()).map_err(|_| wrong())?;
    let is_plain = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic());
    let good = !asked.scopes.is_empty() && asked.scopes.iter().chain(&asked.tenant).all(is_plain);
    if good { Ok(asked) } else { Err(wrong()) }
}

impl Asked {
    /// The client's profile that serves the request.
    pub(super) fn choose<'a>(&self, site: &'a Site, client: &'a Client) -> Result<Chosen<'a>, Refusal> {
        select(site, client, &self.scopes, &[], self.tenant.as_deref().filter(|tenant| !tenant.is_empty()))
    }
}

/// The response with the token.
pub(super) fn reply(token: &AccessToken) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        status: &'static str,
        token: &'a str,
        expires_on: String,
    }
    let text = token.token.expose();
    let body = Body { status: "success", token: text, expires_on: times::utc(token.expires_on) };
    json(StatusCode::OK, &body, text.len())
}

/// The response with an error. One of the codes makes azd report "not signed in".
pub(super) fn refusal(refusal: &Refusal) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        status: &'static str,
        code: &'static str,
        message: &'a str,
    }
    let code = if refusal.outcome == "credential-unavailable" { "NotSignedInError" } else { "GetTokenError" };
    json(StatusCode::OK, &Body { status: "error", code, message: &refusal.message }, refusal.message.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_follows_the_scheme() {
        let request = |value: &str| Request::builder().header("authorization", value).body(()).unwrap();
        for (value, expected) in
            [("Bearer abc", Some("abc")), ("bearer abc", Some("abc")), ("Bearer", None), ("abc", None)]
        {
            assert_eq!(key(&request(value)), expected.map(str::as_bytes), "{value}");
        }
        assert_eq!(key(&Request::new(())), None);
    }
}
