//! Requests and replies.

use std::fmt;
use std::time::Duration;

/// A request as it arrived.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// The method, for example `POST`.
    pub method: String,
    /// The `Host` header.
    pub host: String,
    /// The path, with the query if there is one.
    pub path: String,
    /// Header fields in order, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The decoded form, in order.
    pub form: Vec<(String, String)>,
}

impl Received {
    /// The first header field of this name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first form field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value): &(String, String)| {
            let value = if name == "refresh_token" { "(hidden)" } else { value };
            format!("{name}={value}")
        };
        f.debug_struct("Received")
            .field("method", &self.method)
            .field("host", &self.host)
            .field("path", &self.path)
            .field("headers", &self.headers)
            .field("form", &self.form.iter().map(shown).collect::<Vec<_>>())
            .finish()
    }
}

/// A reply to a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// Header fields besides those that the server adds itself.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How many times the body is sent, in chunks and without a length; `None` for once, with its
    /// length.
    pub chunks: Option<usize>,
    /// The delay before the reply.
    pub delay: Duration,
    /// Closes the connection instead of replying.
    pub hang_up: bool,
}

impl Reply {
    /// A JSON body.
    #[must_use]
    pub fn json(status: u16, body: serde_json::Value) -> Self {
        Self::bytes(status, "application/json; charset=utf-8", body.to_string())
    }

    /// A body of any type.
    #[must_use]
    pub fn bytes(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), chunks: None, delay: Duration::ZERO, hang_up: false }
            .header("content-type", content_type)
    }

    /// Closes the connection without a reply.
    #[must_use]
    pub fn hang_up() -> Self {
        Self { status: 0, headers: Vec::new(), body: Vec::new(), chunks: None, delay: Duration::ZERO, hang_up: true }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends the body `times` over, in chunks and without a length (RFC 9112, section 7.1).
    #[must_use]
    pub fn in_chunks(mut self, times: usize) -> Self {
        self.chunks = Some(times);
        self
    }

    /// Delays the reply.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body may hold tokens, so only its length is shown.
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body_length", &self.body.len())
            .field("chunks", &self.chunks)
            .field("delay", &self.delay)
            .field("hang_up", &self.hang_up)
            .finish()
    }
}
