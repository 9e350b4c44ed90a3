use shared_token_cache_entra::Secret;
use shared_token_cache_policy::Source;

/// An access token, how long it lives, and which cache served it.
///
/// Its `Debug` does not show the token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// When it expires, in seconds since the Unix epoch.
    pub expires_on: u64,
    /// When it should be replaced, in seconds since the Unix epoch, where the authority said so.
    pub refresh_on: Option<u64>,
    /// `Bearer`.
    pub token_type: String,
}

/// An access token with the source whose cache served it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served {
    /// The token.
    pub access_token: AccessToken,
    /// Whose cache.
    pub source: Source,
    /// Whether the authority was asked for it in this call; `false` for a token that was there already.
    pub refreshed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_does_not_print_itself() {
        let token = AccessToken {
            token: "hunter2".to_owned().into(),
            expires_on: 1,
            refresh_on: None,
            token_type: "Bearer".into(),
        };
        assert!(!format!("{token:?}").contains("hunter2"));
    }
}
