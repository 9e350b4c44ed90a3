//! The hosts that `NO_PROXY` excepts.

use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

use shared_token_cache_policy::AddressRange;

#[derive(Clone)]
pub(super) struct Exceptions(Vec<Exception>);

/// Hosts that are reached directly, at one port or at any.
#[derive(Clone)]
struct Exception {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone)]
enum Hosts {
    All,
    Addresses(AddressRange),
    /// This name and its subdomains, in lower case.
    Below(String),
}

impl Exceptions {
    pub(super) fn cover(&self, url: &Url) -> bool {
        self.0.iter().any(|exception| exception.covers(url))
    }
}

impl FromStr for Exceptions {
    type Err = String;

    /// Parses names and addresses, separated by commas or white space.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains(['"', '\'']) {
            return Err("it has quotation marks, which belong to a shell and not into the value".into());
        }
        if text.chars().any(|character| character.is_control() && !character.is_ascii_whitespace()) {
            return Err("it has a control character".into());
        }
        let entries = text.split(|character: char| character == ',' || character.is_ascii_whitespace());
        Ok(Self(entries.filter_map(Exception::parse).collect()))
    }
}

impl Exception {
    /// `None` for an entry that names no host: it excepts none, so the proxy is used.
    fn parse(text: &str) -> Option<Self> {
        if let Ok(range) = text.trim_start_matches('[').trim_end_matches(']').parse() {
            return Some(Self { hosts: Hosts::Addresses(range), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
        let hosts = match host.parse::<IpAddr>() {
            Ok(address) => Hosts::Addresses(address.into()),
            Err(_) if host == "*" => Hosts::All,
            Err(_) => {
                // Go's programs and many users write `*.contoso.com` for `.contoso.com`.
                let host = host.strip_prefix("*.").unwrap_or(host).trim_start_matches('.');
                (!host.is_empty()).then(|| Hosts::Below(host.to_ascii_lowercase()))?
            }
        };
        Some(Self { hosts, port })
    }

    fn covers(&self, url: &Url) -> bool {
        let is_host = match (&self.hosts, url.host()) {
            (Hosts::All, _) => true,
            (Hosts::Addresses(range), Some(Host::Ipv4(address))) => range.contains(address.into()),
            (Hosts::Addresses(range), Some(Host::Ipv6(address))) => range.contains(address.into()),
            (Hosts::Below(name), Some(Host::Domain(host))) => {
                host.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            _ => false,
        };
        is_host && self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cover_their_subdomains_in_any_spelling() {
        for (text, url, covered) in [
            ("login.contoso.com", "https://login.contoso.com", true),
            ("contoso.com", "https://login.contoso.com", true),
            (".contoso.com", "https://login.contoso.com", true),
            ("*.contoso.com", "https://login.contoso.com", true),
            ("*.Contoso.COM.", "https://login.contoso.com", true),
            ("a, b ,.contoso.com", "https://login.contoso.com", true),
            ("a b\r\ncontoso.com\r\n", "https://login.contoso.com", true),
            ("*", "https://login.contoso.com", true),
            ("*", "https://127.0.0.1:8443", true),
            ("contoso.com:443", "https://login.contoso.com", true),
            ("contoso.com:8443", "https://login.contoso.com", false),
            ("ntoso.com", "https://login.contoso.com", false),
            ("login.*.com", "https://login.contoso.com", false),
            ("login.contoso.com.evil.example", "https://login.contoso.com", false),
            (".", "https://login.contoso.com", false),
            ("http://login.contoso.com,login.contoso.com:x,0.0.0.0/40", "https://login.contoso.com", false),
            ("http://login.contoso.com,contoso.com", "https://login.contoso.com", true),
            ("", "https://login.contoso.com", false),
            ("127.0.0.0/8", "https://127.0.0.1:8443", true),
            ("127.0.0.1", "https://127.0.0.1:8443", true),
            ("127.0.0.1:8443", "https://127.0.0.1:8443", true),
            ("127.0.0.1:8444", "https://127.0.0.1:8443", false),
            ("::1", "https://[::1]:8443", true),
            ("[::1]:8443", "https://[::1]:8443", true),
            ("10.0.0.0/8", "https://127.0.0.1:8443", false),
        ] {
            let exceptions: Exceptions = text.parse().unwrap();
            assert_eq!(exceptions.cover(&url.parse().unwrap()), covered, "{text:?} {url}");
        }
        for text in ["\"contoso.com\"", "'contoso.com", "a,\u{7}"] {
            assert!(text.parse::<Exceptions>().is_err(), "{text:?}");
        }
    }
}
