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
use crate::settings::{Settings, variables};
use crate::wit::https::{HttpsError, Response};

/// The most bytes of one `blocking-write-and-flush` in WASI 0.2.
const CHUNK: usize = 4096;

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A retry may succeed.
    Passing(HttpsError),
    /// A retry would fail the same way.
    Lasting(HttpsError),
}

/// A response, with its `Retry-After`.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) response: Response,
    pub(crate) retry_after: Option<String>,
}

/// Posts a body. Redirects are not followed, as `wasi:http` does not follow any.
pub(crate) fn post(
    settings: &Settings,
    endpoint: &Endpoint<'_>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Reply, Failure> {
    Exchange { authority: endpoint.authority, deadline: pause::now() + settings.request_time, settings }
        .post(endpoint, headers, body)
}

struct Exchange<'a> {
    authority: &'a str,
    deadline: Duration,
    settings: &'a Settings,
}

impl Exchange<'_> {
    fn post(&self, endpoint: &Endpoint<'_>, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply, Failure> {
        let request = request(endpoint, headers, body)?;
        let outgoing = request.body().map_err(|()| broken("the request has no body"))?;
        let future = handle(request, options(self.settings.request_time)).map_err(|code| self.error(&code))?;
        self.send(outgoing, body)?;
        self.wait(&future.subscribe())?;
        let reply = match future.get() {
            Some(Ok(Ok(reply))) => reply,
            Some(Ok(Err(code))) => return Err(self.error(&code)),
            Some(Err(())) | None => return Err(broken("the host returned no response")),
        };
        let retry_after = reply.headers().get("retry-after").into_iter().next();
        let retry_after = retry_after.and_then(|value| String::from_utf8(value).ok());
        let body = self.receive(&reply)?;
        // Text that is UTF-8 is not copied.
        let body =
            String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Reply { response: Response { status: reply.status(), body }, retry_after })
    }

    fn send(&self, outgoing: OutgoingBody, body: &[u8]) -> Result<(), Failure> {
        let stream = outgoing.write().map_err(|()| broken("cannot write the request's body"))?;
        for chunk in body.chunks(CHUNK) {
            // A host that ends the request early reports why in its response.
            if stream.blocking_write_and_flush(chunk).is_err() {
                break;
            }
        }
        drop(stream);
        OutgoingBody::finish(outgoing, None).or_else(|code| match code {
            ErrorCode::HttpRequestBodySize(_) => Ok(()),
            code => Err(self.error(&code)),
        })
    }

    fn receive(&self, reply: &IncomingResponse) -> Result<Vec<u8>, Failure> {
        let incoming = reply.consume().map_err(|()| broken("the reply has no body"))?;
        let stream = incoming.stream().map_err(|()| broken("cannot read the reply's body"))?;
        let (ready, largest) = (stream.subscribe(), self.settings.response_size);
        let mut body = Vec::new();
        loop {
            self.wait(&ready)?;
            match stream.read(64 << 10) {
                Ok(mut chunk) => body.append(&mut chunk),
                Err(StreamError::Closed) => return Ok(body),
                Err(StreamError::LastOperationFailed(_)) => {
                    return Err(broken(&format!(
                        "{} closed the connection in the middle of its reply",
                        self.authority
                    )));
                }
            }
            if body.len() > largest {
                let (kib, variable) = (largest >> 10, variables::RESPONSE_KIB);
                let why = format!("the reply of {} has more than {kib} KiB, the limit of {variable}", self.authority);
                return Err(Failure::Lasting(HttpsError::BadResponse(why)));
            }
        }
    }

    /// Waits until data is ready, or until the deadline.
    fn wait(&self, ready: &Pollable) -> Result<(), Failure> {
        let left = self.deadline.checked_sub(pause::now()).ok_or_else(|| self.timeout())?;
        let timer = wasi::clocks::monotonic_clock::subscribe_duration(pause::nanoseconds(left));
        if poll(&[ready, &timer]).contains(&0) { Ok(()) } else { Err(self.timeout()) }
    }

    fn timeout(&self) -> Failure {
        let (seconds, variable) = (self.settings.request_time.as_secs(), variables::REQUEST_SECONDS);
        let why = format!("{} did not answer within {seconds} s, the limit of {variable}", self.authority);
        Failure::Passing(HttpsError::Timeout(why))
    }

    /// Converts the host's error; the text has a hint where the user can act on it.
    fn error(&self, code: &ErrorCode) -> Failure {
        let authority = self.authority;
        match code {
            ErrorCode::HttpRequestDenied => Failure::Lasting(HttpsError::Denied(format!(
                "the host does not grant requests to {authority}; allow that host name"
            ))),
            ErrorCode::DnsTimeout
            | ErrorCode::ConnectionTimeout
            | ErrorCode::ConnectionReadTimeout
            | ErrorCode::ConnectionWriteTimeout
            | ErrorCode::HttpResponseTimeout => self.timeout(),
            // A retry would get the same certificate.
            ErrorCode::TlsCertificateError | ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
                let why = format!("the host does not trust the TLS connection to {authority}: {code:?}");
                Failure::Lasting(HttpsError::Unreachable(why))
            }
            ErrorCode::ConnectionRefused => broken(&format!("{authority} refuses the connection")),
            ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
                broken(&format!("the host cannot resolve the name {authority}"))
            }
            other => broken(&format!("cannot reach {authority}: {other:?}")),
        }
    }
}

fn request(endpoint: &Endpoint<'_>, headers: &[(&str, &str)], body: &[u8]) -> Result<OutgoingRequest, Failure> {
    let length = body.len().to_string();
    let fields = Fields::new();
    for (name, value) in headers.iter().copied().chain([("content-length", length.as_str())]) {
        fields.append(name, value.as_bytes()).map_err(|_| {
            let why = format!("the host does not let a component set the header field {name:?}");
            Failure::Lasting(HttpsError::Denied(why))
        })?;
    }
    let scheme = if endpoint.plain_http { Scheme::Http } else { Scheme::Https };
    let request = OutgoingRequest::new(fields);
    let set = request
        .set_method(&Method::Post)
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(endpoint.authority)))
        .and_then(|()| request.set_path_with_query(Some(endpoint.path)));
    set.map(|()| request).map_err(|()| broken("the host rejects the request's URL"))
}

/// For a host without these timeouts, the deadline limits the time.
fn options(time: Duration) -> Option<RequestOptions> {
    let options = RequestOptions::new();
    let time = pause::nanoseconds(time);
    let set = options
        .set_connect_timeout(Some(time))
        .and_then(|()| options.set_first_byte_timeout(Some(time)))
        .and_then(|()| options.set_between_bytes_timeout(Some(time)));
    set.is_ok().then_some(options)
}

fn broken(what: &str) -> Failure {
    Failure::Passing(HttpsError::Unreachable(what.to_owned()))
}
