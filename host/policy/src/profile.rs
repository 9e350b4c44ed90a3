use std::fmt;
use std::str::FromStr;

use shared_token_cache_entra::scope::is_of_openid_connect;

use crate::{
    AgentSessionUse, AllowedAccount, AllowedClient, AllowedScope, AllowedTenant, AuthorityHost, CacheName,
    InvalidValue, Source,
};

/// A named token that an agent refreshes for other programs. They can request it only by its name.
///
/// ```
/// use shared_token_cache_policy::{Profile, Source};
///
/// # fn main() -> Result<(), shared_token_cache_policy::InvalidValue> {
/// let graph = Profile::new("entra/graph".parse()?, Source::AzureCli, &["https://graph.microsoft.com/.default"])?
///     .with_account("user0@contoso.com")?
///     .with_tenant("contoso.com")?;
/// assert_eq!(graph.name().as_str(), "entra/graph");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    name: ProfileName,
    source: Source,
    pub(crate) cache_name: Option<CacheName>,
    pub(crate) account: Option<String>,
    pub(crate) tenant: Option<String>,
    scopes: Vec<String>,
    pub(crate) authority: Option<AuthorityHost>,
    pub(crate) client_id: Option<String>,
    pub(crate) agent_session: AgentSessionUse,
}

impl Profile {
    /// A profile for a token with these scopes, from the sign-in of a source.
    ///
    /// # Errors
    /// When there is no scope of a resource, or a scope is not written in full.
    pub fn new(name: ProfileName, source: Source, scopes: &[&str]) -> Result<Self, InvalidValue> {
        let scopes = scopes.iter().map(|text| scope(text)).collect::<Result<Vec<_>, _>>()?;
        check_scopes(&scopes)?;
        Ok(Self::with_scopes(name, source, scopes))
    }

    pub(crate) fn with_scopes(name: ProfileName, source: Source, scopes: Vec<String>) -> Self {
        Self {
            name,
            source,
            cache_name: None,
            account: None,
            tenant: None,
            scopes,
            authority: None,
            client_id: None,
            agent_session: AgentSessionUse::Pass,
        }
    }

    /// The cache of the source. Default: the one named `msal.cache`. Not used for a file.
    #[must_use]
    pub fn with_cache_name(mut self, name: CacheName) -> Self {
        self.cache_name = Some(name);
        self
    }

    /// The username of the account. Default: the only account of the source.
    ///
    /// # Errors
    /// When the text is not a username.
    pub fn with_account(mut self, username: &str) -> Result<Self, InvalidValue> {
        self.account = Some(account(username)?);
        Ok(self)
    }

    /// The tenant of the token, by its id or its domain. Default: the account's home tenant.
    ///
    /// # Errors
    /// When the text is not a tenant.
    pub fn with_tenant(mut self, text: &str) -> Result<Self, InvalidValue> {
        self.tenant = Some(tenant(text)?);
        Ok(self)
    }

    /// The authority of the token. Default: the host's.
    #[must_use]
    pub fn with_authority(mut self, host: AuthorityHost) -> Self {
        self.authority = Some(host);
        self
    }

    /// The client id of the token. Default: the Azure CLI's public client.
    ///
    /// # Errors
    /// When the text is not a client id.
    pub fn with_client_id(mut self, text: &str) -> Result<Self, InvalidValue> {
        self.client_id = Some(client_id(text)?);
        Ok(self)
    }

    /// Whether the token carries the mark of the host's agent session. Default: it does.
    #[must_use]
    pub fn with_agent_session(mut self, agent_session: AgentSessionUse) -> Self {
        self.agent_session = agent_session;
        self
    }

    /// The name by which the token is requested.
    #[must_use]
    pub fn name(&self) -> &ProfileName {
        &self.name
    }

    /// The source of the sign-in.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The value of [`Self::with_cache_name`].
    #[must_use]
    pub fn cache_name(&self) -> Option<&CacheName> {
        self.cache_name.as_ref()
    }

    /// The value of [`Self::with_account`].
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The value of [`Self::with_tenant`].
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The scopes of the token; at least one.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The value of [`Self::with_authority`].
    #[must_use]
    pub fn authority(&self) -> Option<&AuthorityHost> {
        self.authority.as_ref()
    }

    /// The value of [`Self::with_client_id`].
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// The value of [`Self::with_agent_session`].
    #[must_use]
    pub fn agent_session(&self) -> AgentSessionUse {
        self.agent_session
    }
}

/// The name of a profile: up to 128 letters, digits, `.`, `_`, `-` and `/`, compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileName(String);

impl ProfileName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProfileName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let good = (1..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            let what = format!("{text:?} is not the name of a profile");
            Err(InvalidValue::new(what, "a name has up to 128 letters, digits, `.`, `_`, `-` and `/`"))
        }
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A profile must name a scope of a resource. For scopes of OpenID Connect alone, Microsoft Entra
/// ID returns a token of Microsoft Graph, so Graph must be named.
pub(crate) fn check_scopes(scopes: &[String]) -> Result<(), InvalidValue> {
    if scopes.iter().any(|scope| !is_of_openid_connect(scope)) {
        return Ok(());
    }
    let what = if scopes.is_empty() { "names no scope" } else { "names no scope of a resource" };
    Err(InvalidValue::new(what, "write for example `scopes = [\"https://vault.azure.net/.default\"]`"))
}

/// A scope, exactly as written.
pub(crate) fn scope(text: &str) -> Result<String, InvalidValue> {
    one(text, text.parse::<AllowedScope>()?.is_one(), "a scope", "write one in full")
}

/// A username.
pub(crate) fn account(text: &str) -> Result<String, InvalidValue> {
    let is_username = text.parse::<AllowedAccount>()?.is_username();
    one(text, is_username, "a username", "write one such as `user0@contoso.com`")
}

/// A tenant, exactly as written.
pub(crate) fn tenant(text: &str) -> Result<String, InvalidValue> {
    one(text, !text.parse::<AllowedTenant>()?.is_any(), "a tenant", "write its id or its domain, or leave it out")
}

/// An application's id.
pub(crate) fn client_id(text: &str) -> Result<String, InvalidValue> {
    one(text, text.parse::<AllowedClient>()? != AllowedClient::ANY, "a client id", "write one, or leave it out")
}

fn one(text: &str, is_one: bool, wanted: &str, instead: &str) -> Result<String, InvalidValue> {
    if is_one { Ok(text.to_owned()) } else { Err(InvalidValue::new(format!("{text:?} is not {wanted}"), instead)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: &str = "https://graph.microsoft.com/User.Read";

    fn profile() -> Profile {
        Profile::new("graph".parse().unwrap(), Source::Shared, &[SCOPE]).unwrap()
    }

    #[test]
    fn a_profile_name_has_only_safe_characters() {
        for text in ["graph", "entra/graph", "a.b_c-D/1", &"x".repeat(128)] {
            assert_eq!(text.parse::<ProfileName>().unwrap().as_str(), text);
        }
        for text in ["", " ", "a b", "a=b", "a\"b", "a\nb", "ä", "a:b", &"x".repeat(129)] {
            assert!(text.parse::<ProfileName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_profile_has_single_values_and_no_wildcards() {
        for scopes in [&[] as &[&str], &["*"], &["https://graph.microsoft.com/*"], &[SCOPE, "*"], &["a b"]] {
            assert!(Profile::new("graph".parse().unwrap(), Source::Shared, scopes).is_err(), "{scopes:?}");
        }
        for account in ["*", "uid.utid", "user0", ""] {
            assert!(profile().with_account(account).is_err(), "{account}");
        }
        for tenant in ["*", "organizations", "a b", ""] {
            assert!(profile().with_tenant(tenant).is_err(), "{tenant}");
        }
        for client_id in ["*", "a b", ""] {
            assert!(profile().with_client_id(client_id).is_err(), "{client_id}");
        }
    }

    #[test]
    fn the_values_of_a_profile_are_kept_as_written() {
        let profile = profile().with_account("User0@contoso.com").unwrap().with_tenant("Contoso.com").unwrap();
        let profile = profile.with_client_id("04B07795").unwrap();
        assert_eq!(profile.scopes(), [SCOPE]);
        assert_eq!(
            (profile.account(), profile.tenant(), profile.client_id()),
            (Some("User0@contoso.com"), Some("Contoso.com"), Some("04B07795"))
        );
    }
}
