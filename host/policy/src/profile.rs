use std::fmt;
use std::str::FromStr;

use shared_token_cache_entra::scope::is_of_openid_connect;

use crate::{
    AllowedAccount, AllowedClient, AllowedScope, AllowedTenant, AuthorityHost, CacheName, InvalidValue, Source,
};

/// A token that an agent keeps fresh for others, under a name: they ask for the name and can say nothing else.
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
}

impl Profile {
    /// A profile for a token with these scopes from the sign-in of a source.
    ///
    /// # Errors
    /// When there is no scope of a resource, or a scope that is not written in full.
    pub fn new(name: ProfileName, source: Source, scopes: &[&str]) -> Result<Self, InvalidValue> {
        let scopes = scopes.iter().map(|text| scope(text)).collect::<Result<Vec<_>, _>>()?;
        check_scopes(&scopes)?;
        Ok(Self::with_scopes(name, source, scopes))
    }

    pub(crate) fn with_scopes(name: ProfileName, source: Source, scopes: Vec<String>) -> Self {
        Self { name, source, cache_name: None, account: None, tenant: None, scopes, authority: None, client_id: None }
    }

    /// The cache of the source to read. Default: the one named `msal.cache`. It means nothing for a file.
    #[must_use]
    pub fn with_cache_name(mut self, name: CacheName) -> Self {
        self.cache_name = Some(name);
        self
    }

    /// The username of the account. Default: whichever account the source has, if it is the only one.
    ///
    /// # Errors
    /// When the text is not a username.
    pub fn with_account(mut self, username: &str) -> Result<Self, InvalidValue> {
        self.account = Some(account(username)?);
        Ok(self)
    }

    /// The tenant to ask for the token, by its id or its domain. Default: the one that the account lives in.
    ///
    /// # Errors
    /// When the text is not a tenant.
    pub fn with_tenant(mut self, text: &str) -> Result<Self, InvalidValue> {
        self.tenant = Some(tenant(text)?);
        Ok(self)
    }

    /// The authority to ask. Default: the host's.
    #[must_use]
    pub fn with_authority(mut self, host: AuthorityHost) -> Self {
        self.authority = Some(host);
        self
    }

    /// The application to ask as. Default: the Azure CLI's public client.
    ///
    /// # Errors
    /// When the text is not a client id.
    pub fn with_client_id(mut self, text: &str) -> Result<Self, InvalidValue> {
        self.client_id = Some(client_id(text)?);
        Ok(self)
    }

    /// The name under which the token is asked for.
    #[must_use]
    pub fn name(&self) -> &ProfileName {
        &self.name
    }

    /// Whose sign-in serves it.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What [`Self::with_cache_name`] set.
    #[must_use]
    pub fn cache_name(&self) -> Option<&CacheName> {
        self.cache_name.as_ref()
    }

    /// What [`Self::with_account`] set.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// What [`Self::with_tenant`] set.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The scopes of the token; one at least.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// What [`Self::with_authority`] set.
    #[must_use]
    pub fn authority(&self) -> Option<&AuthorityHost> {
        self.authority.as_ref()
    }

    /// What [`Self::with_client_id`] set.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
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

/// A profile names a scope of a resource. Microsoft Entra ID answers a request for scopes of OpenID Connect alone with a token of
/// Microsoft Graph, which a profile then has to name.
pub(crate) fn check_scopes(scopes: &[String]) -> Result<(), InvalidValue> {
    if scopes.iter().any(|scope| !is_of_openid_connect(scope)) {
        return Ok(());
    }
    let what = if scopes.is_empty() { "names no scope" } else { "names no scope of a resource" };
    Err(InvalidValue::new(what, "write for example `scopes = [\"https://vault.azure.net/.default\"]`"))
}

/// A scope as it is asked for.
pub(crate) fn scope(text: &str) -> Result<String, InvalidValue> {
    one(text, text.parse::<AllowedScope>()?.is_one(), "a scope", "write one in full")
}

/// A username.
pub(crate) fn account(text: &str) -> Result<String, InvalidValue> {
    let is_username = text.parse::<AllowedAccount>()?.is_username();
    one(text, is_username, "a username", "write one such as `user0@contoso.com`")
}

/// A tenant as it is asked for.
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
    fn a_name_cannot_be_mistaken_for_anything_else() {
        for text in ["graph", "entra/graph", "a.b_c-D/1", &"x".repeat(128)] {
            assert_eq!(text.parse::<ProfileName>().unwrap().as_str(), text);
        }
        for text in ["", " ", "a b", "a=b", "a\"b", "a\nb", "ä", "a:b", &"x".repeat(129)] {
            assert!(text.parse::<ProfileName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_profile_names_one_of_each_and_no_rule_for_many() {
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
    fn what_is_asked_for_is_asked_for_as_it_was_written() {
        let profile = profile().with_account("User0@contoso.com").unwrap().with_tenant("Contoso.com").unwrap();
        let profile = profile.with_client_id("04B07795").unwrap();
        assert_eq!(profile.scopes(), [SCOPE]);
        assert_eq!(
            (profile.account(), profile.tenant(), profile.client_id()),
            (Some("User0@contoso.com"), Some("Contoso.com"), Some("04B07795"))
        );
    }
}
