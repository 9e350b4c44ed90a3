//! One request through `wasi:http`.

use std::time::Duration;

use wasi::http::outgoing_handler::handle;
use wasi::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::StreamError;

use crate::endpoint::Endpoint;
use crate::pause;
use crate::settings::Settings;
use crate::wit::https::{HttpsError, Response};

/// A host takes this much of a body at once: `blocking-write-and-flush` of WASI 0.2.
const CHUNK: usize = 4096;

/// Posts a body; no redirect is followed, as `wasi:http` knows none.
pub(crate) fn post(
    settings: &Settings,
    endpoint: &Endpoint<'_>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Response, HttpsError> {
    let deadline = pause::now() + settings.request_time;
    let request = request(endpoint, headers, body)?;
    let outgoing = request.body().map_err(|()| broken("the request has no body"))?;
    let future = handle(request, Some(options(settings.request_time)?)).map_err(|code| error(&code))?;
    send(outgoing, body)?;
    wait(&future.subscribe(), deadline)?;
    let reply = match future.get() {
        Some(Ok(Ok(reply))) => reply,
        Some(Ok(Err(code))) => return Err(error(&code)),
        Some(Err(())) | None => return Err(broken("the host has no answer")),
    };
    let (status, largest) = (reply.status(), settings.response_size);
    Ok(Response { status, body: receive(&reply, largest, deadline)? })
}

fn request(endpoint: &Endpoint<'_>, headers: &[(&str, &str)], body: &[u8]) -> Result<OutgoingRequest, HttpsError> {
    let length = body.len().to_string();
    let fields = Fields::new();
    for (name, value) in headers.iter().copied().chain([("content-length", length.as_str())]) {
        fields.append(name, value.as_bytes()).map_err(|_| {
            HttpsError::Denied(format!("the host does not let a component set the header field {name:?}"))
        })?;
    }
    let scheme = if endpoint.plain_http { Scheme::Http } else { Scheme::Https };
    let request = OutgoingRequest::new(fields);
    let set = request
        .set_method(&Method::Post)
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(endpoint.authority)))
        .and_then(|()| request.set_path_with_query(Some(endpoint.path)));
    set.map(|()| request).map_err(|()| broken("the host does not take the request's URL"))
}

fn options(time: Duration) -> Result<RequestOptions, HttpsError> {
    let options = RequestOptions::new();
    let time = pause::nanoseconds(time);
    let set = options
        .set_connect_timeout(Some(time))
        .and_then(|()| options.set_first_byte_timeout(Some(time)))
        .and_then(|()| options.set_between_bytes_timeout(Some(time)));
    // A host that can't limit the time itself is limited by the deadline.
    if set.is_err() {
        return Ok(RequestOptions::new());
    }
    Ok(options)
}

fn send(outgoing: OutgoingBody, body: &[u8]) -> Result<(), HttpsError> {
    let stream = outgoing.write().map_err(|()| broken("the request's body can't be written"))?;
    for chunk in body.chunks(CHUNK) {
        // A host that has given up says why in its answer.
        if stream.blocking_write_and_flush(chunk).is_err() {
            break;
        }
    }
    drop(stream);
    OutgoingBody::finish(outgoing, None).or_else(|code| match code {
        ErrorCode::HttpRequestBodySize(_) => Ok(()),
        code => Err(error(&code)),
    })
}

fn receive(reply: &IncomingResponse, largest: usize, deadline: Duration) -> Result<Vec<u8>, HttpsError> {
    let incoming = reply.consume().map_err(|()| broken("the reply has no body"))?;
    let stream = incoming.stream().map_err(|()| broken("the reply's body can't be read"))?;
    let ready = stream.subscribe();
    let mut body = Vec::new();
    loop {
        wait(&ready, deadline)?;
        match stream.read(64 << 10) {
            Ok(mut chunk) => body.append(&mut chunk),
            Err(StreamError::Closed) => return Ok(body),
            Err(StreamError::LastOperationFailed(_)) => {
                return Err(HttpsError::Unreachable("the connection broke in the middle of the reply".into()));
            }
        }
        if body.len() > largest {
            let variable = crate::settings::variables::RESPONSE_KIB;
            let kib = largest >> 10;
            return Err(HttpsError::BadResponse(format!("the reply has more than {kib} KiB, the limit of {variable}")));
        }
    }
}

/// Waits until there is something, or until the time is over.
fn wait(ready: &Pollable, deadline: Duration) -> Result<(), HttpsError> {
    let left = deadline.checked_sub(pause::now()).ok_or_else(timeout)?;
    let timer = wasi::clocks::monotonic_clock::subscribe_duration(pause::nanoseconds(left));
    if poll(&[ready, &timer]).contains(&0) { Ok(()) } else { Err(timeout()) }
}

fn timeout() -> HttpsError {
    let variable = crate::settings::variables::REQUEST_SECONDS;
    HttpsError::Timeout(format!("the authority did not answer in the time that {variable} gives it"))
}

fn broken(what: &str) -> HttpsError {
    HttpsError::Unreachable(what.to_owned())
}

/// The host's error, in our words where the user can do something about it.
fn error(code: &ErrorCode) -> HttpsError {
    match code {
        ErrorCode::HttpRequestDenied => {
            HttpsError::Denied("the host does not grant requests to the authority; allow its host name".into())
        }
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => timeout(),
        ErrorCode::TlsCertificateError | ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
            HttpsError::BadResponse(format!("no trusted TLS connection: {code:?}"))
        }
        other => HttpsError::Unreachable(format!("the host says {other:?}")),
    }
}
