use std::net::IpAddr;

use shared_token_cache_entra::cloud;
use shared_token_cache_entra::tenant::ADFS;
use url::Url;

use crate::denied::shown;
use crate::{
    Access, AddressClass, Addresses, AllowedAccount, AllowedClient, AllowedComponent, AllowedScope, AllowedTenant,
    AuthorityHost, CacheGrant, CacheName, CoreDumps, Denied, Limits, LogLevel, LogRules, Profile, Source, network,
};

/// The permissions of a component. The default grants nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub(crate) caches: Vec<CacheGrant>,
    pub(crate) authorities: Vec<AuthorityHost>,
    pub(crate) addresses: Vec<Addresses>,
    pub(crate) scopes: Vec<AllowedScope>,
    pub(crate) tenants: Vec<AllowedTenant>,
    pub(crate) accounts: Vec<AllowedAccount>,
    pub(crate) clients: Vec<AllowedClient>,
    pub(crate) components: Vec<AllowedComponent>,
    pub(crate) limits: Limits,
    pub(crate) log: LogRules,
    pub(crate) core_dumps: CoreDumps,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) clouds: CloudAddresses,
}

/// The addresses that the names of Microsoft's clouds may have. Not part of the document: a written
/// policy applies as written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum CloudAddresses {
    /// Public addresses, and those that the policy names.
    #[default]
    AsOthers,
    /// Every address except metadata services and link-local addresses.
    Anywhere,
}

impl Policy {
    /// The policy for a user's own programs: reads and writes the user's caches of this name, and
    /// allows Microsoft's clouds and every scope, tenant, account, application and component.
    ///
    /// The names of Microsoft's clouds may have every address except those of metadata services and
    /// link-local ones, which a document cannot express. In companies and behind VPNs these names
    /// often have private or synthetic addresses, and TLS authenticates the server.
    #[must_use]
    pub fn for_current_user(cache: CacheName) -> Self {
        let grant = |source| CacheGrant::new(source, Access::ReadWrite).with_name(cache.clone());
        Self {
            caches: vec![grant(Source::Shared), grant(Source::AzureCli)],
            authorities: cloud::hosts().map(AuthorityHost::known).collect(),
            addresses: Vec::new(),
            scopes: vec![AllowedScope::ANY],
            tenants: vec![AllowedTenant::ANY],
            accounts: vec![AllowedAccount::ANY],
            clients: vec![AllowedClient::ANY],
            components: vec![AllowedComponent::ANY],
            limits: Limits::default(),
            log: LogRules { component: LogLevel::Debug, ..LogRules::default() },
            core_dumps: CoreDumps::Deny,
            profiles: Vec::new(),
            clouds: CloudAddresses::Anywhere,
        }
    }

    /// Grants a cache.
    #[must_use]
    pub fn allow_cache(mut self, grant: CacheGrant) -> Self {
        self.caches.push(grant);
        self
    }

    /// The grants, in the order in which they were added.
    #[must_use]
    pub fn caches(&self) -> &[CacheGrant] {
        &self.caches
    }

    /// Allows requests to an authority's token endpoints.
    #[must_use]
    pub fn allow_authority(mut self, host: AuthorityHost) -> Self {
        if !self.authorities.contains(&host) {
            self.authorities.push(host);
        }
        self
    }

    /// Allows connections to addresses that are not public, if an allowed authority's name has
    /// them. Default: none.
    #[must_use]
    pub fn allow_addresses(mut self, addresses: Addresses) -> Self {
        self.addresses.push(addresses);
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The value of [`Self::with_limits`].
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The grant for a document that a component names, such as `msal.cache.nocae`.
    ///
    /// # Errors
    /// When no grant covers it.
    pub fn grant(&self, source: &Source, document: &str) -> Result<&CacheGrant, Denied> {
        let name = CacheName::of_document(document);
        let grants = self.caches.iter().filter(|grant| grant.source() == source);
        let covering = |name: &CacheName| grants.clone().filter(|grant| grant.covers(name)).max_by_key(|g| g.access());
        name.as_ref().and_then(covering).ok_or_else(|| {
            let what = format!("the cache {} of the source {source}", shown(document));
            // The document's name has a suffix, which is not part of the name in a policy.
            let hint = match name {
                Some(name) if grants.clone().next().is_some() => {
                    format!("add \"{name}\" to its `names` under `[[caches]]`")
                }
                Some(name) if *source == Source::Shared => {
                    format!("grant it under `[[caches]]`, with `names = [\"{name}\"]`")
                }
                _ => "grant it under `[[caches]]`".to_owned(),
            };
            Denied::new(what, hint)
        })
    }

    /// Parses the URL of a token request, if it is the token endpoint of an allowed authority.
    ///
    /// # Errors
    /// For every other URL.
    pub fn token_endpoint(&self, text: &str) -> Result<Url, Denied> {
        let denied = |hint: &str| Denied::new(format!("requests to {}", shown(text)), hint);
        let url = Url::parse(text).map_err(|_| denied("a request goes to an https URL"))?;
        // The parsed URL must equal the text, which excludes `..` and percent-encoded characters.
        if url.as_str() != text || !is_token_endpoint(&url) {
            return Err(denied(
                "a request goes to https://<authority>/<tenant>/oauth2/v2.0/token, or to /adfs/oauth2/token, and nowhere else",
            ));
        }
        if self.authorities.iter().any(|authority| authority.is_host_of(&url)) {
            Ok(url)
        } else {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            let host = format!("{}{port}", url.host_str().unwrap_or_default());
            Err(denied(&format!("list {} under `authorities`", shown(&host))))
        }
    }

    /// The addresses from [`Self::allow_addresses`].
    #[must_use]
    pub fn addresses(&self) -> &[Addresses] {
        &self.addresses
    }

    /// Whether a host is one of the authorities, with any port.
    #[must_use]
    pub fn has_authority(&self, host: &str) -> bool {
        self.authorities.iter().any(|authority| authority.host() == host)
    }

    /// Whether a host may be connected to at this address: a public one, or one from
    /// [`Self::allow_addresses`]. The policy of [`Self::for_current_user`] allows further addresses
    /// for the names of Microsoft's clouds.
    ///
    /// # Errors
    /// When it may not.
    pub fn address(&self, host: &str, address: IpAddr) -> Result<(), Denied> {
        match network::refused(&self.addresses, address) {
            None => Ok(()),
            Some(class) if self.may_lead_anywhere(host) && !HANDS_OUT_SECRETS.contains(&class) => Ok(()),
            Some(class) => Err(Denied::new(
                format!("a connection to {address}, a {class} address of {}", shown(host)),
                format!("list `{address}` or `{class}` under `network.addresses`"),
            )),
        }
    }

    fn may_lead_anywhere(&self, host: &str) -> bool {
        self.clouds == CloudAddresses::Anywhere && cloud::hosts().any(|known| known == host)
    }
}

/// Classes of addresses whose services may issue a machine's own credentials.
const HANDS_OUT_SECRETS: [AddressClass; 2] = [AddressClass::Metadata, AddressClass::LinkLocal];

fn is_token_endpoint(url: &Url) -> bool {
    let tenant = match url.path() {
        // AD FS has no tenants, and no version 2.0.
        "/adfs/oauth2/token" => Some(ADFS),
        path => path.strip_prefix('/').and_then(|path| path.strip_suffix("/oauth2/v2.0/token")),
    };
    url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && tenant.is_some_and(|tenant| {
            !tenant.is_empty() && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorities(hosts: &[&str]) -> Policy {
        hosts.iter().fold(Policy::default(), |policy, host| policy.allow_authority(host.parse().unwrap()))
    }

    #[test]
    fn requests_go_only_to_token_endpoints_of_allowed_authorities() {
        let policy = authorities(&["login.microsoftonline.com", "localhost:8443"]);
        for (url, allowed) in [
            ("https://login.microsoftonline.com/organizations/oauth2/v2.0/token", true),
            ("https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token", true),
            ("https://localhost:8443/organizations/oauth2/v2.0/token", true),
            ("https://localhost:8443/adfs/oauth2/token", true),
            ("https://localhost:8444/adfs/oauth2/token", false),
            ("https://localhost:8443/adfs/oauth2/token/", false),
            ("https://localhost:8443/ADFS/oauth2/token", false),
            ("https://localhost:8443/adfs/oauth2/devicecode", false),
            ("https://localhost:8443/organizations/oauth2/token", false),
            ("https://localhost:8443/x/adfs/oauth2/token", false),
            ("http://login.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com:8443/organizations/oauth2/v2.0/token", false),
            ("https://localhost/organizations/oauth2/v2.0/token", false),
            ("https://localhost:8444/organizations/oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com:443/organizations/oauth2/v2.0/token", false),
            ("https://LOGIN.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            ("HTTPS://login.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            ("https://login%2Emicrosoftonline.com/organizations/oauth2/v2.0/token", false),
            ("https://%6cogin.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            ("https://@login.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            ("https://:@login.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com./organizations/oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com.evil.example/organizations/oauth2/v2.0/token", false),
            ("https://evil-login.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com@evil.example/organizations/oauth2/v2.0/token", false),
            ("https://user:password@login.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com/organizations/oauth2/v2.0/token?x=1", false),
            ("https://login.microsoftonline.com/organizations/oauth2/v2.0/token#x", false),
            ("https://login.microsoftonline.com/organizations/oauth2/v2.0/token/", false),
            ("https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode", false),
            ("https://login.microsoftonline.com/oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com//oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com/a/../b/oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com/a%2fb/oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com\\@evil.example/organizations/oauth2/v2.0/token", false),
            ("https:login.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            (" https://login.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            ("https://login.microsoftonlinе.com/organizations/oauth2/v2.0/token", false), // a Cyrillic е
            ("file:///etc/passwd", false),
            ("", false),
        ] {
            assert_eq!(policy.token_endpoint(url).is_ok(), allowed, "{url}");
            assert!(Policy::default().token_endpoint(url).is_err(), "nothing is allowed by default: {url}");
        }
    }

    #[test]
    fn an_address_that_is_not_public_is_denied_by_name_unless_it_is_allowed() {
        let policy = Policy::default().allow_addresses("127.0.0.1".parse().unwrap());
        assert_eq!(policy.address("localhost", [127, 0, 0, 1].into()), Ok(()));
        assert_eq!(policy.address("localhost", [20, 190, 128, 1].into()), Ok(()));
        let denied = policy.address("login.contoso.com", [10, 1, 2, 3].into()).unwrap_err().to_string();
        for part in ["10.1.2.3", "private", "login.contoso.com", "`network.addresses`"] {
            assert!(denied.contains(part), "{denied}");
        }
    }

    #[test]
    fn under_the_policy_of_the_current_user_the_clouds_may_have_any_address_but_a_metadata_services() {
        let user = Policy::for_current_user(CacheName::default());
        let written = Policy::from_toml(&user.to_toml()).unwrap();
        let asked = user.clone().allow_authority("login.contoso.com".parse().unwrap());
        for (address, anywhere) in [
            ("198.18.0.5", true),
            ("100.64.1.5", true),
            ("10.1.2.3", true),
            ("127.0.0.1", true),
            ("fc00::5", true),
            ("::1", true),
            ("64:ff9b::10.1.2.3", true),
            ("169.254.1.1", false),
            ("169.254.169.254", false),
            ("168.63.129.16", false),
            ("100.100.100.200", false),
            ("fe80::1", false),
            ("fd00:ec2::254", false),
            ("::ffff:169.254.169.254", false),
            ("64:ff9b::169.254.169.254", false),
        ] {
            let parsed = address.parse().unwrap();
            for host in cloud::hosts() {
                assert_eq!(user.address(host, parsed).is_ok(), anywhere, "{host} {address}");
                assert!(written.address(host, parsed).is_err(), "a document is meant as written: {host} {address}");
            }
            for host in ["login.contoso.com", "login.microsoftonline.com.contoso.com", address] {
                assert!(asked.address(host, parsed).is_err(), "{host} {address}");
            }
        }
    }

    #[test]
    fn a_denial_does_not_repeat_a_password() {
        let denied = authorities(&[]).token_endpoint("https://user:hunter2@host/t/oauth2/v2.0/token").unwrap_err();
        assert!(!denied.to_string().contains("hunter2"), "{denied}");
    }

    #[test]
    fn caches_are_granted_by_source_and_name() {
        let named = |name: &str| CacheName::parse(name).unwrap();
        let policy = Policy::default()
            .allow_cache(CacheGrant::new(Source::Shared, Access::Read).with_name(named("msal.cache")))
            .allow_cache(CacheGrant::new(Source::AzureCli, Access::ReadWrite).with_name(named("other")));
        let whole = Policy::default().allow_cache(CacheGrant::new(Source::AzureCli, Access::Read));
        assert!(whole.grant(&Source::AzureCli, "any.nocae").is_ok(), "it has one file");
        assert!(whole.grant(&Source::Shared, "any.nocae").is_err());
        let nothing = Policy::default().allow_cache(CacheGrant::new(Source::Shared, Access::Read));
        assert!(nothing.grant(&Source::Shared, "msal.cache.nocae").is_err());
        for (source, document, access) in [
            (Source::Shared, "msal.cache.nocae", Some(Access::Read)),
            (Source::Shared, "msal.cache.cae", Some(Access::Read)),
            (Source::Shared, "other.nocae", None),
            (Source::AzureCli, "other.nocae", Some(Access::ReadWrite)),
            (Source::AzureCli, "msal.cache.nocae", None),
            (Source::File("/x".into()), "msal.cache.nocae", None),
            (Source::Shared, "msal.cache", None),
            (Source::Shared, "../msal.cache.nocae", None),
            (Source::Shared, "MSAL.CACHE.nocae", None),
            (Source::Shared, "", None),
        ] {
            let granted = policy.grant(&source, document).map(CacheGrant::access).ok();
            assert_eq!(granted, access, "{source} {document}");
            assert!(Policy::default().grant(&source, document).is_err());
        }
    }

    #[test]
    fn the_policy_of_the_current_user_has_the_users_caches_and_the_clouds() {
        let policy = Policy::for_current_user(CacheName::default());
        assert!(policy.grant(&Source::Shared, "msal.cache.nocae").is_ok());
        assert!(policy.grant(&Source::AzureCli, "msal.cache.cae").is_ok());
        assert!(policy.grant(&Source::Shared, "other.nocae").is_err());
        for host in cloud::hosts() {
            assert!(
                policy.token_endpoint(&format!("https://{host}/organizations/oauth2/v2.0/token")).is_ok(),
                "{host}"
            );
        }
        assert!(policy.token_endpoint("https://login.contoso.com/organizations/oauth2/v2.0/token").is_err());
    }
}
