//! The profiles of a policy, and the policy narrowed to one of them.

use crate::denied::shown;
use crate::{AllowedAccount, AuthorityHost, Denied, Policy, Profile};

impl Policy {
    /// Adds a profile. It grants nothing: the policy must allow what the profile requests. Of two
    /// with the same name the first is used.
    ///
    /// ```
    /// # use shared_token_cache_policy::{Policy, Profile, Source};
    /// let graph = Profile::new("graph".parse()?, Source::AzureCli, &["https://graph.microsoft.com/.default"])?;
    /// let policy = Policy::default().with_profile(graph);
    /// assert!(policy.profile("graph").is_some() && policy.profile("vault").is_none());
    /// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profiles.push(profile);
        self
    }

    /// The profiles, in the order in which they were added.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The profile of this name.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name().as_str() == name)
    }

    /// The policy for a program that serves only this profile: its source, its scopes, and its
    /// authority if it names one. Never allows more than this policy.
    ///
    /// ```
    /// # use shared_token_cache_policy::{CacheName, Policy, Profile, Source};
    /// let policy = Policy::for_current_user(CacheName::default());
    /// let graph = Profile::new("graph".parse()?, Source::AzureCli, &["https://graph.microsoft.com/.default"])?;
    /// let narrow = policy.narrowed_to(&graph);
    /// assert!(narrow.check_scopes(&["https://graph.microsoft.com/.default"]).is_ok());
    /// assert!(narrow.check_scopes(&["https://vault.azure.net/.default"]).is_err());
    /// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn narrowed_to(&self, profile: &Profile) -> Self {
        let mut narrow = self.clone();
        narrow.caches.retain(|grant| grant.source() == profile.source());
        narrow.profiles.retain(|other| other == profile);
        let allowed = profile.scopes().iter().filter(|scope| self.check_listed(scope).is_ok());
        // Profiles hold only scopes that parse.
        narrow.scopes = allowed.filter_map(|scope| scope.parse().ok()).collect();
        if let Some(host) = profile.authority() {
            narrow.authorities.retain(|authority| authority == host);
        }
        narrow
    }

    /// Whether requests to an authority are allowed.
    ///
    /// # Errors
    /// When it may not.
    pub fn check_authority(&self, host: &AuthorityHost) -> Result<(), Denied> {
        let denied = || Denied::new(format!("requests to {}", shown(&host.to_string())), "list it under `authorities`");
        self.authorities.contains(host).then_some(()).ok_or_else(denied)
    }

    /// Whether tokens of an account may be allowed, by its username alone.
    ///
    /// # Errors
    /// When they are denied for every id.
    pub fn check_username(&self, username: &str) -> Result<(), Denied> {
        let denied = || Denied::new(format!("the account {}", shown(username)), "list it under `accounts`");
        let may = |allowed: &AllowedAccount| allowed.may_cover(username);
        self.accounts.iter().any(may).then_some(()).ok_or_else(denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, CacheGrant, CacheName, Source};

    const GRAPH: &str = "https://graph.microsoft.com/.default";
    const VAULT: &str = "https://vault.azure.net/.default";

    fn profile(scopes: &[&str]) -> Profile {
        Profile::new("p".parse().unwrap(), Source::Shared, scopes).unwrap()
    }

    fn policy() -> Policy {
        let grant = |source| CacheGrant::new(source, Access::Read).with_name(CacheName::default());
        Policy::default()
            .allow_cache(grant(Source::Shared))
            .allow_cache(grant(Source::AzureCli))
            .allow_authority("login.contoso.com".parse().unwrap())
            .allow_authority("login.fabrikam.com".parse().unwrap())
            .allow_scope("https://graph.microsoft.com/*".parse().unwrap())
    }

    #[test]
    fn a_narrowed_policy_allows_only_values_of_the_profile_that_were_allowed_before() {
        let narrow = policy().narrowed_to(&profile(&[GRAPH, VAULT]));
        assert!(narrow.check_scopes(&[GRAPH]).is_ok());
        for scope in [VAULT, "https://graph.microsoft.com/User.Read", "*"] {
            assert!(narrow.check_scopes(&[scope]).is_err(), "{scope}");
        }
        assert!(narrow.grant(&Source::Shared, "msal.cache.nocae").is_ok());
        assert!(narrow.grant(&Source::AzureCli, "msal.cache.nocae").is_err());
        assert!(narrow.has_authority("login.contoso.com") && narrow.has_authority("login.fabrikam.com"));
        let elsewhere = profile(&[GRAPH]).with_authority("login.fabrikam.com".parse().unwrap());
        let narrow = policy().narrowed_to(&elsewhere);
        assert!(!narrow.has_authority("login.contoso.com") && narrow.has_authority("login.fabrikam.com"));
        assert!(Policy::default().narrowed_to(&elsewhere).check_scopes(&[GRAPH]).is_err());
    }

    #[test]
    fn an_account_that_is_allowed_by_its_id_may_have_any_name() {
        let named = policy().allow_account("user0@contoso.com".parse().unwrap());
        assert!(named.check_username("User0@contoso.com").is_ok());
        let denied = named.check_username("user1@contoso.com").unwrap_err().to_string();
        assert_eq!(denied, "the policy does not allow the account \"…@contoso.com\"; list it under `accounts`");
        assert!(named.allow_account("uid.utid".parse().unwrap()).check_username("user1@contoso.com").is_ok());
        assert!(policy().check_username("user0@contoso.com").is_err());
    }

    #[test]
    fn an_authority_is_allowed_with_its_port_only() {
        assert!(policy().check_authority(&"login.contoso.com".parse().unwrap()).is_ok());
        for host in ["login.contoso.com:8443", "contoso.com"] {
            assert!(policy().check_authority(&host.parse().unwrap()).is_err(), "{host}");
        }
    }
}
