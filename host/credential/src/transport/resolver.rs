//! Resolves names and checks the addresses. The client connects to the checked addresses, without a
//! second lookup.

use std::net::SocketAddr;
use std::sync::Arc;
use std::{fmt, io};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use shared_token_cache_policy::{Denied, Policy};

/// The system's resolver, without addresses that the policy does not allow.
pub(super) struct Resolver(pub(super) Arc<Policy>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str();
            let found = tokio::net::lookup_host((host, 0)).await;
            let found = found.map_err(|error| Unresolved { host: host.to_owned(), error })?.collect();
            // Requests go to authorities of the policy only, so any other name is that of the
            // proxy: the user configured it, and the component cannot choose it.
            let addresses = if policy.has_authority(host) { allowed(&policy, host, found)? } else { found };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// A name without addresses: that of the authority or the proxy.
#[derive(Debug)]
pub(super) struct Unresolved {
    host: String,
    error: io::Error,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.error.to_string();
        let why = error.strip_prefix("failed to lookup address information: ").unwrap_or(&error);
        write!(f, "cannot resolve the name {}: {why}", self.host)
    }
}

impl std::error::Error for Unresolved {}

/// The addresses of a host that the policy allows.
fn allowed(policy: &Policy, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Denied> {
    let (mut allowed, mut refused) = (Vec::new(), None);
    for address in found {
        match policy.address(host, address.ip()) {
            Ok(()) => allowed.push(address),
            Err(denied) => {
                tracing::debug!("{denied}");
                refused.get_or_insert(denied);
            }
        }
    }
    match refused {
        Some(denied) if allowed.is_empty() => Err(denied),
        _ => Ok(allowed),
    }
}

/// Checks a host that is an address, because addresses are not looked up.
pub(super) fn check_literal(policy: &Policy, url: &Url) -> Result<(), Denied> {
    match url.host() {
        Some(Host::Ipv4(address)) => policy.address(&address.to_string(), address.into()),
        Some(Host::Ipv6(address)) => policy.address(&address.to_string(), address.into()),
        Some(Host::Domain(_)) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
    }

    #[test]
    fn addresses_that_are_not_allowed_are_dropped_and_the_rest_is_used() {
        let policy = Policy::default().allow_addresses("10.0.0.0/8".parse().unwrap());
        for (found, kept) in [
            (vec!["20.190.128.1", "127.0.0.1", "10.1.1.1"], vec!["20.190.128.1", "10.1.1.1"]),
            (vec!["::1", "2603:1006:2000::1"], vec!["2603:1006:2000::1"]),
            (vec![], vec![]),
        ] {
            assert_eq!(allowed(&policy, "login.contoso.com", addresses(&found)).unwrap(), addresses(&kept));
        }
        let denied = allowed(&policy, "login.contoso.com", addresses(&["169.254.169.254", "::1"])).unwrap_err();
        assert!(denied.to_string().contains("169.254.169.254"), "the first one is named: {denied}");
    }

    #[test]
    fn a_made_up_address_of_microsofts_cloud_is_used_under_the_policy_of_the_current_user() {
        let policy = Policy::for_current_user(Default::default());
        let (host, fake) = ("login.microsoftonline.com", addresses(&["198.18.0.5", "10.1.2.3", "169.254.169.254"]));
        assert_eq!(allowed(&policy, host, fake.clone()).unwrap(), addresses(&["198.18.0.5", "10.1.2.3"]));
        assert!(allowed(&policy, "login.contoso.com", fake.clone()).is_err());
        let written = Policy::from_toml(&policy.to_toml()).unwrap();
        assert!(allowed(&written, host, fake).is_err());
    }

    #[test]
    fn a_host_that_is_an_address_is_checked_as_one() {
        let policy = Policy::default().allow_addresses("127.0.0.1".parse().unwrap());
        for (url, good) in [
            ("https://127.0.0.1:8443/", true),
            ("https://20.190.128.1/", true),
            ("https://[2603:1006:2000::1]/", true),
            ("https://login.contoso.com/", true),
            ("https://127.0.0.2/", false),
            ("https://169.254.169.254/", false),
            ("https://[::1]/", false),
            ("https://[::ffff:169.254.169.254]/", false),
            ("https://[fd00:ec2::254]/", false),
        ] {
            assert_eq!(check_literal(&policy, &url.parse().unwrap()).is_ok(), good, "{url}");
        }
    }

    #[tokio::test]
    async fn the_name_of_an_authority_leads_to_allowed_addresses_only_and_that_of_a_proxy_anywhere() {
        let policy = Policy::default().allow_authority("localhost:8443".parse().unwrap());
        let name = || "localhost".parse::<Name>().unwrap();
        let error = Resolver(Arc::new(policy.clone())).resolve(name()).await.err().unwrap();
        assert!(error.downcast_ref::<Denied>().is_some(), "{error}");
        let allowing = policy.allow_addresses("loopback".parse().unwrap());
        assert!(Resolver(Arc::new(allowing)).resolve(name()).await.unwrap().count() > 0);
        assert!(Resolver(Arc::default()).resolve(name()).await.unwrap().count() > 0, "this can only be the proxy");
    }
}
