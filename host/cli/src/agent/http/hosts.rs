//! The accepted values of `Host`. A page in a browser can reach any address under its own host name
//! (DNS rebinding), so other names are refused.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::http::uri::Authority;

/// `--http-host`: a name or an address, with a port if clients use another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpHost {
    host: String,
    port: Option<u16>,
}

impl FromStr for HttpHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || "write a host, such as host.docker.internal, or a host and a port, such as proxy:8080".to_owned();
        // A bare IPv6 address has colons and no port.
        let bracketed = match text.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            Ok(IpAddr::V4(_)) | Err(_) => text.to_owned(),
        };
        let authority: Authority = bracketed.parse().map_err(|_| wrong())?;
        let (host, port) = (authority.host().to_ascii_lowercase(), authority.port_u16());
        let is_name = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        let is_host = bare(&host).parse::<IpAddr>().is_ok() || (!host.is_empty() && is_name(&host));
        let is_whole = authority.as_str().len() == host.len() + port.map_or(0, |port| 1 + port.to_string().len());
        if is_host && is_whole { Ok(Self { host, port }) } else { Err(wrong()) }
    }
}

impl HttpHost {
    /// The host with its own port, or with this one.
    pub(crate) fn with_port(&self, port: u16) -> Self {
        Self { host: self.host.clone(), port: Some(self.port.unwrap_or(port)) }
    }

    /// Whether it names a port.
    pub(crate) fn has_port(&self) -> bool {
        self.port.is_some()
    }

    /// The host as `NO_PROXY` takes it.
    pub(crate) fn bare(&self) -> &str {
        bare(&self.host)
    }
}

impl fmt::Display for HttpHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The accepted names and addresses.
#[derive(Debug)]
pub(crate) struct Hosts {
    names: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
}

impl Hosts {
    /// `localhost`, the addresses of loopback, the addresses of the listeners, and the user's
    /// names.
    pub(crate) fn new(listening: impl IntoIterator<Item = IpAddr>, named: &[HttpHost]) -> Self {
        let mut hosts = Self { names: ["localhost".to_owned()].into(), addresses: listening.into_iter().collect() };
        for host in named {
            match host.bare().parse() {
                Ok(address) => hosts.addresses.insert(address),
                Err(_) => hosts.names.insert(host.host.clone()),
            };
        }
        hosts.addresses.retain(|address| !address.is_unspecified());
        hosts
    }

    /// Whether `Host` has one of them. The port is ignored: DNS rebinding shows in the host name.
    pub(crate) fn allow(&self, host: &[u8]) -> bool {
        let Ok(authority) = Authority::try_from(host) else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        match bare(authority.host()).parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || self.addresses.contains(&address),
            Err(_) => self.names.contains(&authority.host().to_ascii_lowercase()),
        }
    }
}

/// Removes the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_named_hosts_are_allowed_and_no_other_name() {
        let named = ["Host.docker.internal", "192.0.2.7:8080"].map(|text| text.parse().unwrap());
        let hosts = Hosts::new(["172.17.0.1".parse().unwrap(), "0.0.0.0".parse().unwrap()], &named);
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:4000",
            "127.9.9.9",
            "[::1]:4000",
            "172.17.0.1:1",
            "192.0.2.7",
            "host.docker.internal:9",
        ] {
            assert!(hosts.allow(host.as_bytes()), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "evil.example:4000",
            "localhost.",
            "localhost@evil.example",
            "evil@localhost",
            "127.0.0.1.evil.example",
            "0.0.0.0",
            "[::]",
            "192.0.2.8",
            "[::ffff:127.0.0.1]",
            "127.1",
            "localhost/x",
            "local host",
            "localhost,evil.example",
        ] {
            assert!(!hosts.allow(host.as_bytes()), "{host}");
        }
        assert!(!hosts.allow(b"localhost\xff"));
    }

    #[test]
    fn a_named_host_is_a_name_or_an_address_with_or_without_a_port() {
        for (text, shown) in [
            ("host.docker.internal", "host.docker.internal:1"),
            ("Proxy:8080", "proxy:8080"),
            ("::1", "[::1]:1"),
            ("[::1]:2", "[::1]:2"),
            ("192.0.2.7", "192.0.2.7:1"),
        ] {
            assert_eq!(text.parse::<HttpHost>().unwrap().with_port(1).to_string(), shown, "{text}");
        }
        for text in ["", "a b", "http://x", "x/y", "user@x", "x:", "x:y", "*.contoso.com", "x:99999", ":1"] {
            assert!(text.parse::<HttpHost>().is_err(), "{text}");
        }
    }
}
