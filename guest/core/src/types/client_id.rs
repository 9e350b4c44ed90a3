use shared_token_cache_entra::client::AZURE_CLI;

use crate::error::Error;

/// The client id of the application that requests tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientId(String);

impl ClientId {
    /// Microsoft Entra ID uses GUIDs and AD FS any name, so only characters that could break a form
    /// or a cache key are refused.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let good = (1..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::InvalidArgument(format!(
                "the client id {text:?} is not usable: give the application's GUID, such as `{AZURE_CLI}`"
            )))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares without case: programs write GUIDs in either case.
    pub(crate) fn is(&self, cached: &str) -> bool {
        self.0.eq_ignore_ascii_case(cached)
    }
}

impl Default for ClientId {
    fn default() -> Self {
        Self(AZURE_CLI.into())
    }
}
