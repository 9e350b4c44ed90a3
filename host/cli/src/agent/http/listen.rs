//! Listeners of the endpoint.

#[cfg(unix)]
mod unix;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

#[cfg(unix)]
use unix::Unix;

/// A byte stream of a connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// `--http`: an address with a port, or a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some(_) if cfg!(not(unix)) => Err("there are no Unix sockets here; use an address and a port".into()),
            Some(path) if !path.is_empty() => Ok(Self::Unix(path.strip_prefix("//").unwrap_or(path).into())),
            Some(_) => Err("write it as `unix:` and the path of a socket".into()),
            None => {
                let on_loopback = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
                let address = on_loopback.as_deref().unwrap_or(text).parse();
                address.map(Self::Tcp).map_err(|_| {
                    "write it as an address and a port, such as 127.0.0.1:0 for any free one, or as unix:PATH"
                        .to_owned()
                })
            }
        }
    }
}

impl Address {
    /// Whether other machines can reach it.
    pub(crate) fn is_beyond_loopback(&self) -> bool {
        matches!(self, Self::Tcp(address) if !address.ip().is_loopback())
    }
}

/// A listener that is open.
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(Unix),
}

impl Listener {
    /// Begins to listen. At a socket, only the process's own user and `users` may connect.
    pub(crate) async fn bind(address: &Address, users: &[u32]) -> Result<Self, String> {
        match address {
            Address::Tcp(address) => {
                let listener = TcpListener::bind(address).await;
                listener.map(Self::Tcp).map_err(|error| format!("cannot listen on {address}: {error}"))
            }
            #[cfg(unix)]
            Address::Unix(path) => Unix::bind(path, users).map(Self::Unix),
            #[cfg(not(unix))]
            Address::Unix(_) => {
                Err(format!("there are no Unix sockets here, for the {} users of --allow-uid", users.len()))
            }
        }
    }

    /// The address and port.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }

    /// The listener in messages.
    pub(crate) fn shown(&self, scheme: &str) -> String {
        match self {
            Self::Tcp(_) => self.address().map_or_else(|| "?".to_owned(), |address| format!("{scheme}://{address}")),
            #[cfg(unix)]
            Self::Unix(unix) => format!("unix:{}", unix.path().display()),
        }
    }

    /// The next connection and its address; `None` if its user may not connect.
    pub(super) async fn accept(&self) -> io::Result<Option<(Box<dyn Stream>, IpAddr)>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Some((Box::new(stream), peer.ip())))
            }
            #[cfg(unix)]
            Self::Unix(unix) => unix.accept().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_on_loopback_or_beyond_it() {
        for (text, beyond) in [
            ("127.0.0.1:0", false),
            ("localhost:80", false),
            ("[::1]:80", false),
            ("127.9.9.9:80", false),
            ("0.0.0.0:80", true),
            ("[::]:80", true),
            ("172.17.0.1:80", true),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().is_beyond_loopback(), beyond, "{text}");
        }
        #[cfg(unix)]
        assert_eq!("unix:/run/x.sock".parse::<Address>(), Ok(Address::Unix("/run/x.sock".into())));
        for text in ["", "80", "localhost", "127.0.0.1", "example.com:80", "unix:", "127.0.0.1:99999"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
