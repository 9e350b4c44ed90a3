//! Azure Container Registry: exchanges an access token of Entra ID for a refresh token of a
//! registry, which container tools use as a password.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use shared_token_cache_entra::Secret;
use shared_token_cache_policy::Policy;
use url::Url;
use zeroize::Zeroizing;

use crate::clock::SystemClock;
use crate::error::{AuthenticationFailure, AuthenticationFailureReason, Error};
use crate::escape::bounded;
use crate::transport::{Response, Transport, TransportOptions};

/// The domains of registries in Microsoft's clouds. A token for registries is sent to no other
/// host.
const DOMAINS: [&str; 3] = [".azurecr.io", ".azurecr.cn", ".azurecr.us"];

/// Texts of a registry are truncated to this size in messages, in bytes.
const LONGEST: usize = 500;

/// A registry of Azure Container Registry.
///
/// ```
/// use shared_token_cache::Registry;
///
/// assert_eq!(Registry::parse("https://contoso.azurecr.io").unwrap().to_string(), "contoso.azurecr.io");
/// assert!(Registry::parse("contoso.azurecr.io.example").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry(String);

#[derive(Deserialize)]
struct Exchanged {
    // Its text moves into a secret, which is zeroized.
    refresh_token: String,
}

/// An error of the distribution specification of OCI.
#[derive(Deserialize)]
struct Refused {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    code: String,
}

/// Whether a text is an error code of the specification, such as `UNAUTHORIZED`.
fn is_code(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Whether a text can be a token: visible ASCII, which breaks no line of its readers.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Registry {
    /// Parses the name of a registry, with or without `https://`.
    ///
    /// # Errors
    /// When the text is not the host of a registry in one of Microsoft's clouds.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let host = text.trim_end_matches('/');
        let host = host.strip_prefix("https://").unwrap_or(host).to_ascii_lowercase();
        let name = DOMAINS.iter().find_map(|domain| host.strip_suffix(domain));
        // Replicas have names such as `contoso.westeurope.data`, and do not exchange tokens.
        let is_label = |name: &&str| {
            !name.is_empty()
                && name.len() <= 63
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        match name.filter(is_label) {
            Some(_) => Ok(Self(host)),
            None => Err(Error::InvalidArgument(format!(
                "{:?} is not a registry of Azure Container Registry, such as contoso.azurecr.io",
                bounded(text, LONGEST)
            ))),
        }
    }

    /// Requests a refresh token of the registry, for an access token with the scope
    /// `https://containerregistry.azure.net/.default`. The addresses, limits and certificates are
    /// those of the policy and the options. The refresh token is a secret, and is valid for some
    /// hours.
    ///
    /// # Errors
    /// When the registry is unreachable, or refuses the access token.
    pub async fn exchange(
        &self,
        access_token: &Secret,
        tenant: Option<&str>,
        policy: &Policy,
        options: TransportOptions,
    ) -> Result<Secret, Error> {
        let transport = Transport::new(options, Arc::new(policy.clone()), Arc::new(SystemClock));
        let transport = transport.map_err(Error::InvalidArgument)?;
        let url = Url::parse(&format!("https://{self}/oauth2/exchange"))
            .map_err(|error| Error::InvalidArgument(format!("{self}: {error}")))?;
        let field = |name: &str, value: &str| (name.to_owned(), Zeroizing::new(value.to_owned()).into());
        let mut form = vec![field("grant_type", "access_token"), field("service", &self.0)];
        form.extend(tenant.map(|tenant| field("tenant", tenant)));
        form.push(field("access_token", access_token.expose()));
        let response = transport.post_form(url, Vec::new(), form).await?;
        match serde_json::from_slice::<Exchanged>(&response.body) {
            Ok(exchanged) if response.status == 200 && is_token(&exchanged.refresh_token) => {
                Ok(exchanged.refresh_token.into())
            }
            _ => Err(self.refused(&response)),
        }
    }

    fn refused(&self, Response { status, body, .. }: &Response) -> Error {
        let why = serde_json::from_slice::<Refused>(body).ok().and_then(|refused| refused.errors.into_iter().next());
        // The registry's message is left out: it may repeat the access token.
        let why = why.filter(|error| is_code(&error.code)).map(|error| format!(": {}", error.code));
        let message = format!("the registry {self} issued no token: status {status}{}", why.unwrap_or_default());
        let reason = AuthenticationFailureReason::UnexpectedResponse;
        Error::ClientAuthentication(AuthenticationFailure { reason, message, oauth: None, sources: Vec::new() })
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_tokens_are_plain() {
        assert!(is_code("NAME_UNKNOWN") && !is_code("") && !is_code("eyJ0eXAi") && !is_code(&"A".repeat(33)));
        assert!(is_token("eyJ0.a-b_c~+/=") && !is_token("") && !is_token("a b") && !is_token("a\nb"));
    }

    #[test]
    fn tokens_are_sent_to_registries_of_azure_only() {
        for (text, host) in [
            ("contoso.azurecr.io", "contoso.azurecr.io"),
            ("https://contoso.azurecr.io", "contoso.azurecr.io"),
            ("https://Contoso.AzureCR.io/", "contoso.azurecr.io"),
            ("contoso-abc123.azurecr.cn", "contoso-abc123.azurecr.cn"),
            ("contoso.azurecr.us", "contoso.azurecr.us"),
        ] {
            assert_eq!(Registry::parse(text).unwrap().to_string(), host, "{text}");
        }
        for text in [
            "",
            "azurecr.io",
            ".azurecr.io",
            "docker.io",
            "contoso.azurecr.io.example",
            "contosoazurecr.io",
            "contoso.azurecr.io:8443",
            "contoso.azurecr.io@evil.example",
            "evil.example/.azurecr.io",
            "evil.example#.azurecr.io",
            "user0@contoso.azurecr.io",
            "http://contoso.azurecr.io",
            "https://contoso.azurecr.io/v2",
            "contoso.westeurope.data.azurecr.io",
            "contoso.azurecr.io.",
            "cont\u{f6}so.azurecr.io",
        ] {
            assert!(Registry::parse(text).is_err(), "{text}");
        }
    }
}
