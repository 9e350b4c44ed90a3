//! Rewrites `:authority` in the bytes that a client sends.
//!
//! gRPC's own library sends the path of the socket there, `%2Frun%2Fsds.sock` (Envoy's
//! `google_grpc`, Python, C++); others send the path itself, or nothing. h2 resets a stream whose
//! `:authority` is not a host name, before the service sees it. On a Unix socket that field has no
//! meaning: the kernel reports who connects. So it is rewritten here, between the socket and
//! HTTP/2: the frames of a request's header are joined to one block, and the value is replaced in
//! that block ([`headers`]). All other bytes pass unchanged.

mod headers;
#[cfg(test)]
mod tests;

use std::io;

use tokio::io::ReadBuf;

use headers::Headers;

const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
const HEAD: usize = 9;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// The largest payload of a frame. The server offers no more, so a larger frame breaks the
/// protocol.
const LARGEST_FRAME: usize = 16_384;

/// The largest block of headers. It exceeds the server's own limit, so that the server itself
/// rejects sizes in between.
const LARGEST_BLOCK: usize = 65_536;

/// The most frames of a block; some may be empty.
const MOST_FRAMES: usize = 64;

/// Takes a client's bytes, and returns them rewritten.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// Bytes of the preface that have passed.
    passed: usize,
    /// Bytes left of a frame that passes unchanged.
    left: usize,
    head: Vec<u8>,
    block: Option<Block>,
    headers: Headers,
    count: u64,
    output: Vec<u8>,
    given: usize,
}

/// An incomplete block of headers.
#[derive(Debug)]
struct Block {
    stream: [u8; 4],
    end_stream: u8,
    priority: Vec<u8>,
    bytes: Vec<u8>,
    frames: usize,
    /// The payload of the current frame.
    payload: Vec<u8>,
}

impl Requests {
    /// The number of complete blocks of headers.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Moves rewritten bytes into the buffer; returns whether there were any.
    pub(crate) fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let ready = self.output.get(self.given..).unwrap_or_default();
        let ready = ready.get(..ready.len().min(buffer.remaining())).unwrap_or_default();
        buffer.put_slice(ready);
        self.given += ready.len();
        let gave = !ready.is_empty();
        if self.given == self.output.len() {
            self.output.clear();
            self.given = 0;
        }
        gave
    }

    /// Takes bytes from the client.
    ///
    /// # Errors
    /// When the headers cannot be parsed. The connection must then end.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (taken, rest) = if self.passed < PREFACE {
                let (taken, rest) = cut(bytes, PREFACE - self.passed);
                self.passed += taken.len();
                self.output.extend(taken);
                (taken, rest)
            } else if self.left > 0 {
                let (taken, rest) = cut(bytes, self.left);
                self.left -= taken.len();
                self.output.extend(taken);
                (taken, rest)
            } else if self.head.len() < HEAD {
                let (taken, rest) = cut(bytes, HEAD - self.head.len());
                self.head.extend(taken);
                self.begin()?;
                (taken, rest)
            } else {
                let Some(block) = &mut self.block else { return Err(broken("a frame without a head")) };
                let (taken, rest) = cut(bytes, length(&self.head) - block.payload.len());
                block.payload.extend(taken);
                (taken, rest)
            };
            debug_assert!(!taken.is_empty(), "each round takes something");
            bytes = rest;
            self.end()?;
        }
        Ok(())
    }

    /// Handles a frame's head, once complete.
    fn begin(&mut self) -> io::Result<()> {
        let Some(&[.., kind, flags, a, b, c, d]) = self.head.first_chunk::<HEAD>() else { return Ok(()) };
        let stream = [a, b, c, d];
        match (kind, &mut self.block) {
            (HEADERS, None) => {
                let (priority, bytes, payload) = (Vec::new(), Vec::new(), Vec::new());
                let end_stream = flags & END_STREAM;
                self.block = Some(Block { stream, end_stream, priority, bytes, frames: 0, payload });
            }
            (CONTINUATION, Some(block)) if block.stream == stream => {}
            (_, Some(_)) => return Err(broken("a block of headers that another frame interrupts")),
            // The server checks these, also a CONTINUATION without HEADERS.
            (_, None) => {
                self.left = length(&self.head);
                self.output.append(&mut self.head);
                return Ok(());
            }
        }
        if length(&self.head) > LARGEST_FRAME {
            return Err(broken("a frame of headers that is too large"));
        }
        Ok(())
    }

    /// Handles a frame of a block, once complete.
    fn end(&mut self) -> io::Result<()> {
        let Some(&[.., kind, flags, _, _, _, _]) = self.head.first_chunk::<HEAD>() else { return Ok(()) };
        let Some(block) = &mut self.block else { return Ok(()) };
        if block.payload.len() < length(&self.head) {
            return Ok(());
        }
        self.head.clear();
        block.take(kind, flags)?;
        if flags & END_HEADERS != 0
            && let Some(block) = self.block.take()
        {
            let bytes = self.headers.rewrite(&block.bytes).ok_or_else(|| broken("a block of headers"))?;
            self.count += 1;
            block.write(&bytes, &mut self.output);
        }
        Ok(())
    }
}

impl Block {
    /// Adds the payload of a frame.
    fn take(&mut self, kind: u8, flags: u8) -> io::Result<()> {
        let payload = std::mem::take(&mut self.payload);
        let mut fragment = payload.as_slice();
        if kind == HEADERS && flags & PADDED != 0 {
            let unpadded = fragment.split_first().and_then(|(padding, rest)| {
                let length = rest.len().checked_sub(usize::from(*padding))?;
                rest.get(..length)
            });
            fragment = unpadded.ok_or_else(|| broken("the padding of a frame"))?;
        }
        if kind == HEADERS && flags & PRIORITY != 0 {
            let (priority, rest) = fragment.split_at_checked(5).ok_or_else(|| broken("the priority of a frame"))?;
            self.priority = priority.to_vec();
            fragment = rest;
        }
        self.bytes.extend(fragment);
        self.frames += 1;
        if self.bytes.len() > LARGEST_BLOCK || self.frames > MOST_FRAMES {
            return Err(broken("a block of headers that is too large"));
        }
        Ok(())
    }

    /// Writes the block's frames with these bytes.
    fn write(&self, bytes: &[u8], output: &mut Vec<u8>) {
        let (first, mut rest) = cut(bytes, LARGEST_FRAME - self.priority.len());
        let flags = self.end_stream | if self.priority.is_empty() { 0 } else { PRIORITY };
        let last = |rest: &[u8]| if rest.is_empty() { END_HEADERS } else { 0 };
        self.frame(HEADERS, flags | last(rest), &[&self.priority, first], output);
        while !rest.is_empty() {
            let (next, after) = cut(rest, LARGEST_FRAME);
            self.frame(CONTINUATION, last(after), &[next], output);
            rest = after;
        }
    }

    fn frame(&self, kind: u8, flags: u8, payload: &[&[u8]], output: &mut Vec<u8>) {
        let length: usize = payload.iter().map(|part| part.len()).sum();
        let [.., a, b, c] = length.to_be_bytes();
        output.extend([a, b, c, kind, flags]);
        output.extend(self.stream);
        payload.iter().for_each(|part| output.extend(*part));
    }
}

/// Splits off the first bytes.
fn cut(bytes: &[u8], first: usize) -> (&[u8], &[u8]) {
    bytes.split_at_checked(first).unwrap_or((bytes, &[]))
}

/// The length of a frame's payload, from its head.
fn length(head: &[u8]) -> usize {
    match head {
        [a, b, c, ..] => usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c),
        _ => 0,
    }
}

fn broken(what: &str) -> io::Error {
    tracing::debug!("closing a connection: the client sent {what} that HTTP/2 does not allow");
    io::Error::new(io::ErrorKind::InvalidData, format!("HTTP/2 does not allow {what}"))
}
