//! The response to the client.

use serde_json::Value;
use wasi::http::types::{Fields, IncomingResponse, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::{OutputStream, StreamError};

/// The size of a chunk.
const CHUNK: u64 = 64 << 10;
/// The limit of WASI 0.2's `blocking-write-and-flush`.
const WRITE: usize = 4096;

/// A JSON text.
pub(crate) fn json(status: u16, text: &Value, response: ResponseOutparam) {
    send(status, b"application/json", response, |stream| {
        text.to_string().as_bytes().chunks(WRITE).try_for_each(|chunk| stream.blocking_write_and_flush(chunk))
    });
}

/// The API's response: its status, its type and its body.
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
    // The API's response to one user must not be cached.
    let _ = fields.append("cache-control", b"no-store");
    let _ = fields.append("content-type", content_type);
    let response = OutgoingResponse::new(fields);
    let _ = response.set_status_code(status);
    let Ok(body) = response.body() else { return };
    ResponseOutparam::set(out, Ok(response));
    let Ok(stream) = body.write() else { return };
    // An unfinished body reaches the client as a truncated one, as intended.
    if write(&stream).is_ok() {
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}
