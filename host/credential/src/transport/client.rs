use std::sync::Arc;

use reqwest::redirect;

use super::proxy::Proxies;
use super::resolver::Resolver;
use super::trust::Trust;
use super::{TransportError, TransportOptions};
use shared_token_cache_policy::Policy;

/// A client that speaks HTTPS only and follows nothing.
pub(super) fn build(
    options: &TransportOptions,
    trust: &Trust,
    proxies: &Proxies,
    policy: Arc<Policy>,
) -> Result<reqwest::Client, TransportError> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(trust.tls()?)
        .https_only(true)
        .redirect(redirect::Policy::none())
        // Repeating is this crate's own business: it knows `Retry-After`.
        .retry(reqwest::retry::never())
        .referer(false)
        .dns_resolver(Resolver(policy))
        .connect_timeout(options.connect_timeout)
        .timeout(options.request_timeout)
        .user_agent(concat!("shared-token-cache/", env!("CARGO_PKG_VERSION")))
        // reqwest goes past a proxy whose variable it can't read.
        .no_proxy();
    if let Some(proxy) = proxies.connector() {
        builder = builder.proxy(proxy);
    }
    // These come before the resolver: whoever gives an address for a host has named it.
    for (host, address) in &options.resolve {
        builder = builder.resolve(host, *address);
    }
    builder.build().map_err(|error| unexpected(&error))
}

/// An error that no input explains.
pub(super) fn unexpected(error: &dyn std::error::Error) -> TransportError {
    let what = format!("the HTTPS client can't be set up: {}", super::request::chain(error));
    TransportError::Setup { what, hint: "please report this".to_owned() }
}
