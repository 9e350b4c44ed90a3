//! The proxy that the environment names, and the hosts that it excepts. An invalid value is an
//! error: a direct connection in the place of a configured proxy could be forbidden or monitored.

mod ask;
mod credentials;
mod exceptions;
mod verdict;

use std::ffi::OsString;
use std::net::Ipv6Addr;

use url::Url;

use super::TransportError;
pub(super) use ask::{Answer, Means};
use credentials::Credentials;
use exceptions::Exceptions;
pub(super) use verdict::Leave;

/// The variables with a proxy for HTTPS, in order of precedence. `HTTP_PROXY` is for requests
/// without TLS, which this crate never sends.
const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The variables with the hosts that are reached directly.
const EXCEPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The hint for an invalid proxy.
const FORM: &str = "write it as `http://HOST:PORT`, or as `http://USER:PASSWORD@HOST:PORT` with `%5C` for a backslash, `%20` for a blank, `%40` for an @ and so on";

/// The environment's variables for proxies, parsed.
#[derive(Default)]
pub(super) struct Proxies {
    proxy: Option<(&'static str, Result<Proxy, String>)>,
    except: Option<(&'static str, Result<Exceptions, String>)>,
}

/// A valid proxy.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    variable: &'static str,
    /// Scheme, host and port.
    url: Url,
    credentials: Option<Credentials>,
}

/// The route to a host.
pub(super) enum Route<'p> {
    /// No variable is set.
    Direct,
    /// A variable excepts the host.
    Excepted,
    Through(&'p Proxy),
}

impl Proxies {
    /// Reads the variables. An empty variable counts as not set.
    pub(super) fn read(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let first = |names: &[&'static str]| {
            let set = names.iter().filter_map(|name| Some((*name, get(name)?)));
            set.map(|(name, value)| (name, value.into_string())).find(|(_, value)| value.as_deref() != Ok(""))
        };
        let text = |value: Result<String, OsString>| value.map_err(|_| "it is not text".to_owned());
        let proxy = first(&PROXY).map(|(name, value)| (name, text(value).and_then(|value| Proxy::parse(name, &value))));
        let except = first(&EXCEPT).map(|(name, value)| (name, text(value).and_then(|value| value.parse())));
        Self { proxy, except }
    }

    /// The route to a host.
    ///
    /// # Errors
    /// When the variable that decides is invalid. Its value is not repeated: it may contain a
    /// password.
    pub(super) fn route(&self, url: &Url) -> Result<Route<'_>, TransportError> {
        let Some((variable, proxy)) = &self.proxy else { return Ok(Route::Direct) };
        if let Some((variable, except)) = &self.except {
            let except = except.as_ref().map_err(|why| {
                let hint = "separate hosts by commas, without quotation marks, such as `localhost,.contoso.com`";
                unusable(variable, why, hint)
            })?;
            if except.cover(url) {
                return Ok(Route::Excepted);
            }
        }
        proxy.as_ref().map(Route::Through).map_err(|why| unusable(variable, why, FORM))
    }

    /// The proxy settings for the HTTP client.
    pub(super) fn connector(&self) -> Option<reqwest::Proxy> {
        let (_, Ok(proxy)) = self.proxy.as_ref()? else { return None };
        let (to, except) = (proxy.url.clone(), self.except.clone());
        let connector = reqwest::Proxy::custom(move |url| {
            let excepted = matches!(&except, Some((_, Ok(except))) if except.cover(url));
            (!excepted).then(|| to.clone())
        });
        Some(match &proxy.credentials {
            Some(credentials) => connector.basic_auth(&credentials.user, &credentials.password),
            None => connector,
        })
    }
}

fn unusable(variable: &str, why: &str, hint: &str) -> TransportError {
    let what = format!("cannot use the environment variable {variable}, so nothing was sent: {why}");
    TransportError::Setup { what, hint: hint.to_owned() }
}

impl Proxy {
    /// Parses a URL, or a host and a port as curl accepts them.
    fn parse(variable: &'static str, value: &str) -> Result<Self, String> {
        check_characters(value)?;
        let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
        let scheme = scheme.to_ascii_lowercase();
        if scheme.starts_with("socks") {
            return Err(
                "it names a SOCKS proxy, and only proxies for HTTP are supported; name one, or except the host in NO_PROXY"
                    .into(),
            );
        }
        if !["http", "https"].contains(&scheme.as_str()) {
            return Err("its scheme is neither http nor https".into());
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !["", "/"].contains(&path) {
            return Err("it has a `/`, `?` or `#`, which ends the name of the host".into());
        }
        let (user_info, host) = match authority.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, authority),
        };
        check_host(host)?;
        let url = Url::parse(&format!("{scheme}://{host}")).map_err(|_| "it has no usable host and port".to_owned())?;
        Ok(Self { variable, url, credentials: user_info.map(str::parse).transpose()? })
    }

    /// The proxy without user and password.
    pub(super) fn shown(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The variable that names it.
    pub(super) fn variable(&self) -> &'static str {
        self.variable
    }

    /// Proxy and variable, for a message about a failed request.
    pub(super) fn named(&self) -> String {
        format!("the proxy {}, which {} names", self.shown(), self.variable)
    }
}

/// Refuses characters that shells, `docker --env-file` and Windows files leave in a value, and that
/// no URL has.
fn check_characters(value: &str) -> Result<(), String> {
    let quoted = |quote| value.starts_with(quote) || value.ends_with(quote);
    let why = if value.contains(['\r', '\n']) {
        "it has a line break, as a file with line ends of Windows leaves one"
    } else if value.chars().any(char::is_control) {
        "it has a control character"
    } else if quoted('"') || quoted('\'') {
        "it is in quotation marks, which belong to a shell and not into the value"
    } else if value.contains('\\') {
        "it has a backslash"
    } else if value.contains(char::is_whitespace) {
        "it has a blank"
    } else if !value.is_ascii() {
        "it has a character that is not ASCII"
    } else {
        return Ok(());
    };
    Err(why.into())
}

/// Checks a name or an address, with an optional port.
fn check_host(text: &str) -> Result<(), String> {
    let (is_host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            (address.parse::<Ipv6Addr>().is_ok(), port.is_empty().then_some("").or(port.strip_prefix(':')))
        }
        None => {
            let (host, port) = text
                .split_once(':')
                .map_or((text, ""), |(host, port)| (host, if port.is_empty() { ":" } else { port }));
            let may_be = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            (!host.is_empty() && host.bytes().all(may_be), Some(port))
        }
    };
    if !is_host {
        return Err("it has no usable host".into());
    }
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    match port {
        Some("") => Ok(()),
        Some(port) if is_port(port) => Ok(()),
        _ => Err("its port is not a number from 1 to 65535".into()),
    }
}

#[cfg(test)]
mod tests;
