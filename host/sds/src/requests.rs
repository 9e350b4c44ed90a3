//! The bytes that a client sends, with another `:authority`.
//!
//! gRPC's own library names the path of the socket there, `%2Frun%2Fsds.sock` (Envoy's `google_grpc`, Python, C++); others send the path
//! itself, or nothing. h2 resets a stream whose `:authority` is not a host's name, before any code of a service sees it. On a Unix
//! socket that field means nothing: the kernel tells who connects. So it is rewritten here, between the socket and HTTP/2: the frames
//! of a request's header are put together to one block, and the block ([`headers`]) has the value replaced. All else passes as it is.

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

/// The payload of a frame. The server offers no more, so a client that sends more breaks the protocol.
const LARGEST_FRAME: usize = 16_384;

/// A block of headers: more than the server takes, which answers to what is between with an error of its own.
const LARGEST_BLOCK: usize = 65_536;

/// The frames of a block, of which some may be empty.
const MOST_FRAMES: usize = 64;

/// Takes what a client sends, and gives it to the server.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// Of the preface.
    passed: usize,
    /// Of a frame that passes as it is.
    left: usize,
    head: Vec<u8>,
    block: Option<Block>,
    headers: Headers,
    count: u64,
    output: Vec<u8>,
    given: usize,
}

/// A block of headers that is not complete.
#[derive(Debug)]
struct Block {
    stream: [u8; 4],
    end_stream: u8,
    priority: Vec<u8>,
    bytes: Vec<u8>,
    frames: usize,
    /// The payload of the present frame.
    payload: Vec<u8>,
}

impl Requests {
    /// How many blocks of headers there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Puts what is ready into the buffer. Says whether there was any.
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

    /// Takes what the client sent.
    ///
    /// # Errors
    /// When it breaks the protocol in a way that keeps the headers from being understood. The connection can't go on.
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

    /// Looks at a head, once it is complete.
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
            // The server judges these, among them a block's continuation without a beginning.
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

    /// Takes the frame of a block, once it is complete.
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
    /// Takes the payload of a frame.
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

    /// Writes the frames of a block with these bytes in it.
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

/// The first bytes, and the others.
fn cut(bytes: &[u8], first: usize) -> (&[u8], &[u8]) {
    bytes.split_at_checked(first).unwrap_or((bytes, &[]))
}

/// The length of a frame's payload, by its head.
fn length(head: &[u8]) -> usize {
    match head {
        [a, b, c, ..] => usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c),
        _ => 0,
    }
}

fn broken(what: &str) -> io::Error {
    tracing::debug!("a connection ends: the client sent {what} that HTTP/2 does not have");
    io::Error::new(io::ErrorKind::InvalidData, format!("HTTP/2 does not have {what}"))
}
