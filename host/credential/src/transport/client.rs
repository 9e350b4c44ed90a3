use std::sync::Arc;

use reqwest::redirect;

use super::proxy::Proxies;
use super::resolver::Resolver;
use super::trust::Trust;
use super::{TransportError, TransportOptions};
use shared_token_cache_policy::Policy;

/// An HTTPS-only client that follows no redirects.
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
        // Retries are made by this crate, which honours `Retry-After`.
        .retry(reqwest::retry::never())
        .referer(false)
        .dns_resolver(Resolver(policy))
        .connect_timeout(options.connect_timeout)
        .timeout(options.request_timeout)
        .user_agent(concat!("shared-token-cache/", env!("CARGO_PKG_VERSION")))
        // reqwest ignores a proxy variable that it cannot parse.
        .no_proxy();
    if let Some(proxy) = proxies.connector() {
        builder = builder.proxy(proxy);
    }
    // These addresses take precedence over the resolver.
    for (host, address) in &options.resolve {
        builder = builder.resolve(host, *address);
    }
    builder.build().map_err(|error| unexpected(&error))
}

/// An error that no input causes.
pub(super) fn unexpected(error: &dyn std::error::Error) -> TransportError {
    let what = format!("cannot set up the HTTPS client: {}", super::request::chain(error));
    TransportError::Setup { what, hint: "please report this".to_owned() }
}
