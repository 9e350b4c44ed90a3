//! What goes back to the client.

use serde_json::Value;
use wasi::http::types::{Fields, IncomingResponse, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::{OutputStream, StreamError};

/// As much as is moved at once.
const CHUNK: u64 = 64 << 10;
/// A host takes this much at once: `blocking-write-and-flush` of WASI 0.2.
const WRITE: usize = 4096;

/// A JSON text.
pub(crate) fn json(status: u16, text: &Value, response: ResponseOutparam) {
    send(status, b"application/json", response, |stream| {
        text.to_string().as_bytes().chunks(WRITE).try_for_each(|chunk| stream.blocking_write_and_flush(chunk))
    });
}

/// The API's answer: its status, its type and its body.
pub(crate) fn pass_on(answer: &IncomingResponse, response: ResponseOutparam) {
    let content_type = answer.headers().get("content-type").pop().unwrap_or_else(|| b"application/octet-stream".into());
    send(answer.status(), &content_type, response, |stream| {
        let body = answer.consume().map_err(|()| StreamError::Closed)?;
        let source = body.stream().map_err(|()| StreamError::Closed)?;
        loop {
            match stream.blocking_splice(&source, CHUNK) {
                Ok(_) => {}
                Err(StreamError::Closed) => return Ok(()),
                Err(broken) => return Err(broken),
            }
        }
    });
}

fn send(
    status: u16,
    content_type: &[u8],
    out: ResponseOutparam,
    write: impl FnOnce(&OutputStream) -> Result<(), StreamError>,
) {
    let fields = Fields::new();
    // What the API says to one user is no business of a cache on the way.
    let _ = fields.append("cache-control", b"no-store");
    let _ = fields.append("content-type", content_type);
    let response = OutgoingResponse::new(fields);
    let _ = response.set_status_code(status);
    let Ok(body) = response.body() else { return };
    ResponseOutparam::set(out, Ok(response));
    let Ok(stream) = body.write() else { return };
    // A body that is not finished reaches the client as one that broke off, and so it should.
    if write(&stream).is_ok() {
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}
