//! Responses: tokens, and refusals in the form of each protocol.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use shared_token_cache::{AuthenticationFailureReason, Error, write_json};
use zeroize::Zeroizing;

/// The response to a request.
pub(super) type Reply = Response<Full<Bytes>>;

/// The default of `Retry-After`.
const LATER: Duration = Duration::from_secs(5);

/// A refusal of a request. All clients retry after 429 and 5xx, some after 404 and 408, and none
/// after 401 and 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// For programs.
    pub(super) error: &'static str,
    /// For the user of the sandboxed program. It names no path and no account of the host.
    pub(super) message: String,
    pub(super) retry_after: Option<Duration>,
    /// The outcome in the audit: `refused`, or the kind of the error.
    pub(super) outcome: &'static str,
    /// The reason in the audit.
    pub(super) reason: Option<&'static str>,
}

impl Refusal {
    /// A refusal of the request itself.
    pub(super) fn new(
        status: StatusCode,
        error: &'static str,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let (message, reason) = (message.into(), Some(reason));
        Self { status, error, message, retry_after: None, outcome: "refused", reason }
    }

    pub(super) fn forbidden(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "access_denied", reason, message)
    }

    pub(super) fn invalid(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", reason, message)
    }

    pub(super) fn too_many(reason: &'static str, pause: Duration) -> Self {
        let message = "this client sends too many requests; try again later";
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", reason, message);
        Self { retry_after: Some(pause), ..refusal }
    }

    /// A refusal because the credential has no token for the profile.
    pub(super) fn no_token(profile: &str, error: &Error) -> Self {
        let (status, code, pause) = class(error);
        let reason = error.reason();
        let kind = reason.map_or_else(|| error.kind().to_owned(), |reason| format!("{}, {reason}", error.kind()));
        let numbers: Vec<_> = match error {
            Error::ClientAuthentication(failure) => failure.oauth.iter().flat_map(|oauth| &oauth.error_codes).collect(),
            _ => Vec::new(),
        };
        let numbers: String = numbers.iter().map(|number| format!(", AADSTS{number}")).collect();
        let hint = match status {
            StatusCode::FORBIDDEN => {
                "Only a change on the host helps, such as a new sign-in; the log of the agent says which"
            }
            _ => "Try again later; the log of the agent says more",
        };
        let message = format!("the host has no token for the profile {profile} ({kind}{numbers}). {hint}");
        let retry_after = pause.or_else(|| is_temporary(status).then_some(LATER));
        Self { status, error: code, message, retry_after, outcome: error.kind(), reason }
    }

    /// The response of App Service and Azure ML.
    pub(super) fn reply(&self) -> Reply {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            status_code: u16,
            message: &'a str,
            error: &'a str,
            #[serde(rename = "error_description")]
            error_description: &'a str,
        }
        let (message, error) = (self.message.as_str(), self.error);
        let body = Body { status_code: self.status.as_u16(), message, error, error_description: message };
        let mut reply = json(self.status, &body, message.len());
        if let Some(pause) = self.retry_after {
            let seconds = pause.as_secs_f64().ceil().max(1.0) as u64;
            reply.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        reply
    }
}

fn is_temporary(status: StatusCode) -> bool {
    status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS
}

/// The status, the error code and the `Retry-After` for an error of the credential.
fn class(error: &Error) -> (StatusCode, &'static str, Option<Duration>) {
    let later = (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", error.retry_after());
    let never = (StatusCode::FORBIDDEN, "access_denied", None);
    match error {
        Error::Unreachable(_) => later,
        Error::Limit(limit) if limit.retry_after.is_some() => {
            (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", limit.retry_after)
        }
        Error::Limit(_) => later,
        Error::ClientAuthentication(failure) => match (failure.reason, &failure.oauth) {
            (AuthenticationFailureReason::UnexpectedResponse, _) => later,
            (_, Some(oauth)) if oauth.class() == Some("busy") => later,
            _ => never,
        },
        Error::Component(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error", None),
        _ => never,
    }
}

/// A JSON body. `longest` is the length of its longest text, for the capacity: a reallocation would
/// leave a copy of a token behind.
pub(super) fn json(status: StatusCode, body: &impl Serialize, longest: usize) -> Reply {
    let mut bytes = Zeroizing::new(Vec::with_capacity(12 * longest + 1024));
    // Serializing strings and numbers cannot fail.
    let written = write_json(&mut *bytes, body);
    let mut reply = Response::new(Full::new(Bytes::from_owner(bytes)));
    *reply.status_mut() = if written.is_ok() { status } else { StatusCode::INTERNAL_SERVER_ERROR };
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
