use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The options of token requests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportOptions {
    /// A PEM file with certificate authorities to trust, besides the system's. Default: none.
    pub ca_file: Option<PathBuf>,
    /// Fixed addresses of hosts, which are not looked up. Only the program that embeds this crate
    /// can set them, so the policy's `network.addresses` is not checked for these hosts. Default:
    /// none.
    pub resolve: Vec<(String, SocketAddr)>,
    /// Whether to use the proxy of `HTTPS_PROXY` or `ALL_PROXY`, unless `NO_PROXY` excepts the
    /// host. The proxy looks up the authority itself, so the policy checks the authority's exact
    /// name and port, and `network.addresses` only if the name is an address or the host is
    /// excepted. The proxy may have any address, because the user configured it and the component
    /// cannot choose it. `network.addresses` is checked for a proxy only if its name is also that
    /// of an authority. Default: true.
    pub proxy_from_env: bool,
    /// The time limit of connecting, including TLS. Default: 10 s.
    pub connect_timeout: Duration,
    /// The time limit of one request, from connecting to the last byte. Default: 30 s.
    pub request_timeout: Duration,
    /// The maximum number of retries after a network error (except a bad certificate), a time-out,
    /// or a reply of an overloaded authority: an error such as `temporarily_unavailable` with any
    /// status, or a status of 408, 425, 429 or 5xx. Default: 3.
    pub most_retries: usize,
    /// The pause before the first retry; it doubles with each retry, with some jitter. Default: 500
    /// ms.
    pub retry_delay: Duration,
    /// The longest pause that a `Retry-After` may ask for (RFC 9110, section 10.2.3); with a longer
    /// one the request is not retried. Default: 30 s.
    pub longest_retry_after: Duration,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            ca_file: None,
            resolve: Vec::new(),
            proxy_from_env: true,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            most_retries: 3,
            retry_delay: Duration::from_millis(500),
            longest_retry_after: Duration::from_secs(30),
        }
    }
}
