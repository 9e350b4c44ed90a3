//! Sends CONNECT to a proxy and reads the status of the reply only. The HTTP client does not report
//! the status of a refusal, or whether it could parse the reply, and it retries.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use url::Url;
use zeroize::Zeroizing;

use super::Proxy;

/// The size limit of a reply, in bytes. A status line beyond it is not found.
const LARGEST: usize = 64 << 10;

/// The maximum number of interim replies (RFC 9110, section 15.2).
const MOST_INTERIM: usize = 16;

/// The proxy's reply to CONNECT (RFC 9110, section 9.3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transport) enum Answer {
    Status(u16),
    /// A reply without a status line.
    Unreadable,
    /// The connection was closed, or timed out, after CONNECT had been sent.
    Nothing,
}

/// The parameters of CONNECT, besides the proxy.
pub(in crate::transport) struct Means {
    /// TLS, for a proxy that requires it.
    pub(in crate::transport) tls: Option<ClientConfig>,
    /// Fixed addresses, which take precedence over the system's.
    pub(in crate::transport) resolve: Vec<(String, SocketAddr)>,
    /// The time limit of connecting and of the reply.
    pub(in crate::transport) longest: Duration,
}

impl Proxy {
    /// Whether the proxy is reached over TLS.
    pub(in crate::transport) fn wants_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Requests a tunnel to the host of a URL, with the credentials if there are any, and drops it.
    ///
    /// # Errors
    /// When the proxy could not be reached. It has not received the credentials then.
    pub(in crate::transport) fn ask(&self, url: &Url, means: &Means) -> io::Result<Answer> {
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
        let mut question =
            Zeroizing::new(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes());
        if let Some(credentials) = &self.credentials {
            let pair = Zeroizing::new(format!("{}:{}", credentials.user, credentials.password.as_str()));
            let basic = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
            let field = Zeroizing::new(format!("Proxy-Authorization: Basic {}\r\n", basic.as_str()));
            let mut whole = Zeroizing::new(Vec::with_capacity(question.len() + field.len() + 2));
            whole.extend_from_slice(&question);
            whole.extend_from_slice(field.as_bytes());
            question = whole;
        }
        question.extend_from_slice(b"\r\n");
        let end = Instant::now() + means.longest;
        let tcp = self.connect(means, end)?;
        if let Some(tls) = &means.tls {
            let name =
                ServerName::try_from(self.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned());
            let name = name.map_err(io::Error::other)?;
            let tls = ClientConnection::new(Arc::new(tls.clone()), name).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(tls, tcp);
            while stream.conn.is_handshaking() {
                set_timeouts(&stream.sock, end)?;
                stream.conn.complete_io(&mut stream.sock)?;
            }
            Ok(asked(stream, &question, |stream| set_timeouts(&stream.sock, end)))
        } else {
            Ok(asked(tcp, &question, |tcp| set_timeouts(tcp, end)))
        }
    }

    fn connect(&self, means: &Means, end: Instant) -> io::Result<TcpStream> {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or(80);
        let known = means.resolve.iter().find(|(name, _)| name.eq_ignore_ascii_case(host));
        let addresses: Vec<SocketAddr> = match known {
            Some((_, address)) => {
                vec![SocketAddr::new(address.ip(), if address.port() == 0 { port } else { address.port() })]
            }
            None => (host.trim_matches(['[', ']']), port).to_socket_addrs()?.collect(),
        };
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses {
            match TcpStream::connect_timeout(&address, left(end)?) {
                Ok(tcp) => return Ok(tcp),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// The time until the deadline.
fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn set_timeouts(tcp: &TcpStream, end: Instant) -> io::Result<()> {
    let left = left(end)?;
    tcp.set_read_timeout(Some(left))?;
    tcp.set_write_timeout(Some(left))
}

/// Sends CONNECT, and reads the reply up to its final status line.
fn asked<S: Read + Write>(mut stream: S, question: &[u8], set_timeouts: impl Fn(&S) -> io::Result<()>) -> Answer {
    let mut answer = Vec::new();
    let mut sent = set_timeouts(&stream).and_then(|()| stream.write_all(question)).and_then(|()| stream.flush());
    let mut piece = [0; 4096];
    while sent.is_ok() && answer.len() < LARGEST {
        if let Some(status) = status(&answer) {
            return status.map_or(Answer::Unreadable, Answer::Status);
        }
        sent = set_timeouts(&stream);
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend_from_slice(piece.get(..read).unwrap_or_default()),
        }
    }
    // The reply may end within its status line.
    answer.extend_from_slice(b"\n\n");
    match status(&answer).flatten() {
        Some(status) => Answer::Status(status),
        None if answer.len() > 2 => Answer::Unreadable,
        None => Answer::Nothing,
    }
}

/// The status of the first reply that is not interim, as soon as its line is complete; `Some(None)`
/// if there is no valid one. The text after the line is ignored.
fn status(answer: &[u8]) -> Option<Option<u16>> {
    let mut rest = answer;
    for _ in 0..MOST_INTERIM {
        let (line, mut after) = split_line(rest)?;
        let status = status_of(line);
        if !status.is_some_and(|status| (100..200).contains(&status) && status != 101) {
            return Some(status);
        }
        loop {
            let (line, next) = split_line(after)?;
            after = next;
            if line.is_empty() {
                break;
            }
        }
        rest = after;
    }
    Some(None)
}

/// A line without its end, and the text after it.
fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = text.split_at(end);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default()))
}

/// The status in a line such as `HTTP/1.1 407 Proxy Authentication Required` (RFC 9112, section 4),
/// in any case.
fn status_of(line: &[u8]) -> Option<u16> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let version = words.next()?.to_ascii_lowercase();
    let code = words.next().filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))?;
    let is_http = version.starts_with("http/") || version == "icy";
    code.parse().ok().filter(|code| is_http && *code >= 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that returns a reply in pieces of a fixed size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let (piece, rest) = self.0.split_at(self.0.len().min(self.1));
            to[..piece.len()].copy_from_slice(piece);
            self.0 = rest;
            Ok(piece.len())
        }
    }

    impl Write for Pieces<'_> {
        fn write(&mut self, from: &[u8]) -> io::Result<usize> {
            Ok(from.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_status_line_alone_decides() {
        let many = format!("HTTP/1.1 407 X\r\n{}\r\n", "a: b\r\n".repeat(101));
        let endless = "x".repeat(LARGEST + 1);
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(MOST_INTERIM + 1);
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\n\r\n", Answer::Status(200)),
            ("HTTP/1.1 407 X\r\nX-Bad Header: 1\r\n\r\n", Answer::Status(407)),
            (many.as_str(), Answer::Status(407)),
            ("HTTP/1.1 407 \u{1}\u{7}\r\n\r\n", Answer::Status(407)),
            ("HTTP/1.1 407\r\n", Answer::Status(407)),
            ("HTTP/1.1  407  X\n\n", Answer::Status(407)),
            ("http/1.1 407 x\r\n\r\n", Answer::Status(407)),
            ("HTTP/2 407", Answer::Status(407)),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 407 X\r\n\r\n", Answer::Status(407)),
            ("HTTP/1.1 103 X\r\na: b\r\n\r\nHTTP/1.1 403 X\r\n\r\n", Answer::Status(403)),
            (interim.as_str(), Answer::Unreadable),
            ("HTTP/1.1 100 Continue\r\n\r\n", Answer::Unreadable),
            ("SSH-2.0-x\r\n", Answer::Unreadable),
            ("HTTP/1.1 4070 X\r\n\r\n", Answer::Unreadable),
            ("HTTP/1.1 +40 X\r\n\r\n", Answer::Unreadable),
            ("\r\n", Answer::Unreadable),
            (endless.as_str(), Answer::Unreadable),
            ("", Answer::Nothing),
        ] {
            for size in [1, 7, 4096] {
                let start: String = answer.chars().take(40).collect();
                assert_eq!(asked(Pieces(answer.as_bytes(), size), b"", |_| Ok(())), expected, "{start:?}");
            }
        }
    }
}
