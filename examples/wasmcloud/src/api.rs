//! The API request that uses the token.

use wasi::http::outgoing_handler::handle;
use wasi::http::types::{ErrorCode, Fields, IncomingResponse, OutgoingRequest, RequestOptions, Scheme};

use crate::failure::Failure;
use crate::settings::Url;

/// In nanoseconds. The API's time limit, as a person waits for the response.
const PATIENCE: u64 = 30_000_000_000;

pub(crate) fn get(url: &Url, token: &str) -> Result<IncomingResponse, Failure> {
    let request = request(url, token).ok_or_else(|| Failure::api("the host does not take the request"))?;
    let answer = handle(request, options()).map_err(|code| failure(&code))?;
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(answer)) => answer.map_err(|code| failure(&code)),
        Some(Err(())) | None => Err(Failure::api("the host has no answer")),
    }
}

fn request(url: &Url, token: &str) -> Option<OutgoingRequest> {
    let fields = Fields::new();
    fields.append("accept", b"application/json").ok()?;
    fields.append("authorization", format!("Bearer {token}").as_bytes()).ok()?;
    let request = OutgoingRequest::new(fields);
    let scheme = if url.plain_http { Scheme::Http } else { Scheme::Https };
    request.set_scheme(Some(&scheme)).ok()?;
    request.set_authority(Some(&url.authority)).ok()?;
    request.set_path_with_query(Some(&url.path)).ok()?;
    Some(request)
}

fn options() -> Option<RequestOptions> {
    let options = RequestOptions::new();
    options.set_connect_timeout(Some(PATIENCE)).ok()?;
    options.set_first_byte_timeout(Some(PATIENCE)).ok()?;
    options.set_between_bytes_timeout(Some(PATIENCE)).ok()?;
    Some(options)
}

fn failure(code: &ErrorCode) -> Failure {
    match code {
        ErrorCode::HttpRequestDenied => {
            Failure::api("the host does not grant requests to the API; allow its host name")
        }
        other => Failure::api(format!("the API can't be reached: {other:?}")),
    }
}
