//! An HTTP client for one GET request over plain HTTP on this machine.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};

const LIMIT: Duration = Duration::from_secs(60);

/// A response: its status and its body.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body, which has to be UTF-8.
    pub body: String,
}

/// Requests `http://<host><path>` at this address, over HTTP/1.0: the body ends with the
/// connection.
pub fn get(address: SocketAddr, host: &str, path: &str) -> Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    read(&text).with_context(|| format!("not a response: {text:?}"))
}

fn read(text: &str) -> Option<Response> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Response { status, body: body.to_owned() })
}

/// A loopback address with a free port.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_a_status_and_a_body() {
        let response = read("HTTP/1.0 404 Not Found\r\ncontent-length: 2\r\n\r\nno").unwrap();
        assert_eq!(response, Response { status: 404, body: "no".into() });
        assert_eq!(read("HTTP/1.0 200 OK\r\n"), None);
    }
}
