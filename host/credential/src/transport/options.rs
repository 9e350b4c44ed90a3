use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How token requests are made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportOptions {
    /// A PEM file with certificates of authorities to trust besides the system's. Default: none.
    pub ca_file: Option<PathBuf>,
    /// Hosts whose addresses are given instead of looked up, each with the address to connect to. Nothing but the program that embeds
    /// this crate can give one, so the address is taken as named, for this host: the policy's `network.addresses` need not allow it.
    /// Default: none.
    pub resolve: Vec<(String, SocketAddr)>,
    /// Whether to go through the proxy that `HTTPS_PROXY` or `ALL_PROXY` names, unless `NO_PROXY` excepts the host. Such a proxy looks
    /// the authority up by itself, so the policy then holds it to the authority's exact name and port, and to `network.addresses`
    /// only where the name is an address or the host is excepted. The proxy may have any address: its user configured it, and the
    /// component has no say in it. Only a proxy whose name is also that of an authority is held to `network.addresses`. Default: true.
    pub proxy_from_env: bool,
    /// How long connecting may take, TLS included. Default: 10 s.
    pub connect_timeout: Duration,
    /// How long one request may take, from connecting to the last byte. Default: 30 s.
    pub request_timeout: Duration,
    /// How often a request is repeated after a network error (a bad certificate is none), a time-out, or an answer by which the
    /// authority is busy: an error such as `temporarily_unavailable`, whatever the status, or a status of 408, 425, 429 or 5xx.
    /// Default: 3.
    pub most_retries: usize,
    /// The pause before the first repetition; it doubles with each, with some jitter. Default: 500 ms.
    pub retry_delay: Duration,
    /// The longest pause that a `Retry-After` may ask for (RFC 9110, section 10.2.3); the request is not repeated when it asks
    /// for more. Default: 30 s.
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
