//! The upstream of the requests.

use std::str::FromStr;

use pingora::upstreams::peer::HttpPeer;
use pingora::{ErrorType, OrErr as _, Result};
use url::{Host, Url};

/// A server, by its URL.
#[derive(Debug)]
pub(crate) struct Upstream {
    tls: bool,
    host: String,
    port: u16,
    authority: String,
}

impl Upstream {
    /// The value of the `Host` header.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Its current address.
    pub(crate) async fn peer(&self) -> Result<Box<HttpPeer>> {
        let address = format!("{}:{}", self.host, self.port);
        let mut found = tokio::net::lookup_host(&address).await.or_err(ErrorType::ConnectError, "no such host")?;
        let address = found.next().ok_or_else(|| pingora::Error::explain(ErrorType::ConnectError, "no address"))?;
        Ok(Box::new(HttpPeer::new(address, self.tls, self.host.clone())))
    }
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why| format!("{text:?} is not an upstream: {why}");
        let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        // The path comes from clients, and a user name is not supported.
        let origin = url.origin().ascii_serialization();
        if url.as_str() != format!("{origin}/") {
            return Err(wrong("write https://HOST or https://HOST:PORT and no more".into()));
        }
        let tls = match url.scheme() {
            "https" => true,
            "http" if is_here(&url) => false,
            _ => return Err(wrong("tokens go out over https only, or to this machine".into())),
        };
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(wrong("it has no host".into()));
        };
        let (_, authority) = origin.split_once("://").unwrap_or_default();
        Ok(Self { tls, host: host.to_owned(), port, authority: authority.to_owned() })
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_server_without_a_path_and_plain_http_stays_on_this_machine() {
        for (text, authority) in [
            ("https://graph.microsoft.com", "graph.microsoft.com"),
            ("https://Graph.Microsoft.com:443/", "graph.microsoft.com"),
            ("https://127.0.0.1:8443", "127.0.0.1:8443"),
            ("http://localhost:9000", "localhost:9000"),
            ("http://127.0.0.1:9000", "127.0.0.1:9000"),
            ("http://[::1]:9000", "[::1]:9000"),
        ] {
            assert_eq!(text.parse::<Upstream>().unwrap().authority(), authority);
        }
        for text in [
            "",
            "graph.microsoft.com",
            "https://",
            "https://graph.microsoft.com/v1.0",
            "https://graph.microsoft.com?x",
            "https://graph.microsoft.com#x",
            "https://user@graph.microsoft.com",
            "http://graph.microsoft.com",
            "http://localhost.example:9000",
            "http://127.0.0.1@graph.microsoft.com",
            "ftp://localhost",
            "file:///etc/passwd",
        ] {
            assert!(text.parse::<Upstream>().is_err(), "{text}");
        }
    }
}
