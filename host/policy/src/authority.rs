use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use crate::InvalidValue;

/// The host of an authority, with a port if it is not 443. Only full names parse: a wildcard,
/// scheme or path could not be enforced exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthorityHost {
    host: String,
    port: u16,
}

impl AuthorityHost {
    pub(crate) fn known(host: &str) -> Self {
        Self { host: host.to_owned(), port: 443 }
    }

    /// The host without its port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether a URL has exactly this host and port.
    #[must_use]
    pub fn is_host_of(&self, url: &Url) -> bool {
        url.host_str() == Some(&self.host) && url.port_or_known_default() == Some(self.port)
    }
}

impl FromStr for AuthorityHost {
    type Err = InvalidValue;

    /// Accepts `login.microsoftonline.com`, `https://login.microsoftonline.com/` or
    /// `localhost:8443`.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let what = || format!("{text:?} is not the host of an authority");
        let invalid = || InvalidValue::new(what(), "write it as `login.microsoftonline.com`");
        let bare = text.trim_end_matches([' ', '/']);
        let bare = match bare.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
            Some(_) => return Err(invalid()),
            None => bare,
        };
        let url = Url::parse(&format!("https://{bare}")).map_err(|_| invalid())?;
        let port = url.port_or_known_default().filter(|port| *port > 0).ok_or_else(invalid)?;
        match url.host() {
            Some(Host::Domain(host)) if host == strip_port(bare).to_ascii_lowercase() && is_plain(&url) => {
                Ok(Self { host: host.to_owned(), port })
            }
            Some(Host::Ipv4(address)) if address.to_string() == strip_port(bare) && is_plain(&url) => {
                Ok(Self { host: address.to_string(), port })
            }
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for AuthorityHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if self.port == 443 { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

fn strip_port(text: &str) -> &str {
    text.split_once(':').map_or(text, |(host, _)| host)
}

fn is_plain(url: &Url) -> bool {
    url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.host_str().is_some_and(|host| !host.ends_with('.') && !host.contains('*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_only_a_host() {
        for (text, expected) in [
            ("login.microsoftonline.com", "login.microsoftonline.com"),
            ("https://Login.Contoso.com/", "login.contoso.com"),
            ("localhost:8443", "localhost:8443"),
            ("localhost:443", "localhost"),
            ("127.0.0.1:8443", "127.0.0.1:8443"),
        ] {
            let authority: AuthorityHost = text.parse().unwrap();
            assert_eq!(authority.to_string(), expected, "{text}");
            assert_eq!(authority.host(), expected.trim_end_matches(":8443"), "{text}");
        }
        for text in [
            "",
            "*",
            "*.contoso.com",
            "https://*.contoso.com",
            "http://login.contoso.com",
            "login.contoso.com/tenant",
            "login.contoso.com?x",
            "user@login.contoso.com",
            "login.contoso.com.",
            "login contoso com",
            "localhost:notaport",
            "localhost:0",
            "lögin.example",
            "0x7f.1",
        ] {
            assert!(text.parse::<AuthorityHost>().is_err(), "{text}");
        }
    }
}
