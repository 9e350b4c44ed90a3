//! What the plugin may touch: pure values, no engine and no I/O. What is not granted is denied.

mod authority;
mod cache_name;
mod document;
mod grant;
mod invalid;
mod limits;
mod source;

pub use authority::AuthorityHost;
pub use cache_name::CacheName;
pub use document::{PolicyError, Problem};
pub use grant::{Access, CacheGrant, Leniency};
pub use invalid::InvalidValue;
pub use limits::Limits;
pub use source::Source;

use url::Url;

/// Hosts of Microsoft's clouds that issue tokens. Other names of the same clouds occur in caches only.
const ENTRA_CLOUDS: &[&str] = &[
    "login.microsoftonline.com",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "login.microsoftonline.us",
    "login-us.microsoftonline.com",
    "login.microsoftonline.de",
    "login.sovcloud-identity.fr",
    "login.sovcloud-identity.de",
    "login.sovcloud-identity.sg",
    "login.windows.net",
    "login.microsoft.com",
    "login.usgovcloudapi.net",
    "sts.windows.net",
];

/// What a plugin may touch. The default grants nothing.
///
/// ```
/// use shared_token_cache_policy::{Access, CacheGrant, CacheName, Policy, Source};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::default()
///     .allow_cache(CacheGrant::new(Source::Shared, Access::ReadWrite).with_name(CacheName::default()))
///     .allow_authority("login.microsoftonline.com".parse()?);
/// # let _ = policy;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    caches: Vec<CacheGrant>,
    authorities: Vec<AuthorityHost>,
    limits: Limits,
}

/// Why the policy forbids something, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy does not allow {what}; {remedy}")]
pub struct Denied {
    what: String,
    remedy: &'static str,
}

impl Policy {
    /// The policy for a user's own programs: the user's caches of this name, read and written, and Microsoft's clouds.
    #[must_use]
    pub fn for_current_user(cache: CacheName) -> Self {
        let grant = |source| CacheGrant::new(source, Access::ReadWrite).with_name(cache.clone());
        Self {
            caches: vec![grant(Source::Shared), grant(Source::AzureCli)],
            authorities: ENTRA_CLOUDS.iter().copied().map(AuthorityHost::known).collect(),
            limits: Limits::default(),
        }
    }

    /// Reads a policy document.
    ///
    /// ```
    /// use shared_token_cache_policy::Policy;
    ///
    /// let policy = Policy::from_toml(
    ///     r#"
    ///     authorities = ["login.microsoftonline.com"]
    ///
    ///     [[caches]]
    ///     source = "shared"
    ///     names = ["msal.cache"]
    ///     access = "read-write"
    ///
    ///     [limits]
    ///     call-seconds = 60
    ///     "#,
    /// );
    /// assert!(policy.is_ok());
    /// ```
    ///
    /// # Errors
    /// All that is wrong with the document, unknown fields included, at once.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        document::parse(text)
    }

    /// Grants a cache.
    #[must_use]
    pub fn allow_cache(mut self, grant: CacheGrant) -> Self {
        self.caches.push(grant);
        self
    }

    /// Grants requests to an authority's token endpoints.
    #[must_use]
    pub fn allow_authority(mut self, host: AuthorityHost) -> Self {
        self.authorities.push(host);
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What [`Self::with_limits`] set.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The grant for a document that a plugin names, such as `msal.cache.nocae`.
    ///
    /// # Errors
    /// When no grant covers it.
    pub fn grant(&self, source: &Source, document: &str) -> Result<&CacheGrant, Denied> {
        let name = CacheName::of_document(document);
        let grants = self.caches.iter().filter(|grant| grant.source() == source);
        name.and_then(|name| grants.filter(|grant| grant.covers(&name)).max_by_key(|grant| grant.access())).ok_or_else(
            || Denied {
                what: format!("the cache {} of the source {source}", shown(document)),
                remedy: "grant it under `[[caches]]`",
            },
        )
    }

    /// The URL of a token request, if it is the token endpoint of an allowed authority and nothing else.
    ///
    /// # Errors
    /// When it is not.
    pub fn token_endpoint(&self, text: &str) -> Result<Url, Denied> {
        let denied = |remedy| Denied { what: format!("requests to {}", shown(text)), remedy };
        let url = Url::parse(text).map_err(|_| denied("a request goes to an https URL"))?;
        // What the URL parser made of the text has to be the text: no dots that climb, no encodings that hide.
        if url.as_str() != text || !is_token_endpoint(&url) {
            return Err(denied("a request goes to https://<authority>/<tenant>/oauth2/v2.0/token and nowhere else"));
        }
        if self.authorities.iter().any(|authority| authority.is_host_of(&url)) {
            Ok(url)
        } else {
            Err(denied("list the host under `authorities`"))
        }
    }
}

fn is_token_endpoint(url: &Url) -> bool {
    let tenant = url.path().strip_prefix('/').and_then(|path| path.strip_suffix("/oauth2/v2.0/token"));
    url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && tenant.is_some_and(|tenant| {
            !tenant.is_empty() && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        })
}

/// A plugin's text as a message may show it: quoted, and not endless. What stands before an `@` could be a password.
fn shown(text: &str) -> String {
    let text = match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    };
    let short: String = text.chars().take(120).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorities(hosts: &[&str]) -> Policy {
        hosts.iter().fold(Policy::default(), |policy, host| policy.allow_authority(host.parse().unwrap()))
    }

    #[test]
    fn requests_go_to_token_endpoints_of_allowed_authorities_and_nowhere_else() {
        let policy = authorities(&["login.microsoftonline.com", "localhost:8443"]);
        for (url, allowed) in [
            ("https://login.microsoftonline.com/organizations/oauth2/v2.0/token", true),
            ("https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token", true),
            ("https://localhost:8443/organizations/oauth2/v2.0/token", true),
            ("http://login.microsoftonline.com/organizations/oauth2/v2.0/token", false),
            ("https://login.microsoftonline.com:8443/organizations/oauth2/v2.0/token", false),
            ("https://localhost/organizations/oauth2/v2.0/token", false),
            ("https://localhost:8444/organizations/oauth2/v2.0/token", false),
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
        for host in ENTRA_CLOUDS {
            assert!(
                policy.token_endpoint(&format!("https://{host}/organizations/oauth2/v2.0/token")).is_ok(),
                "{host}"
            );
        }
        assert!(policy.token_endpoint("https://login.contoso.com/organizations/oauth2/v2.0/token").is_err());
    }
}
