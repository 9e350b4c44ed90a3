use shared_token_cache_entra::Secret;
use shared_token_cache_policy::Source;

/// An access token and its lifetime.
///
/// `Debug` does not print the token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// The expiry, in seconds since the Unix epoch.
    pub expires_on: u64,
    /// The time of renewal that the authority asks for, in seconds since the Unix epoch.
    pub refresh_on: Option<u64>,
    /// `Bearer`.
    pub token_type: String,
}

/// An access token with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuedToken {
    /// The token.
    pub access_token: AccessToken,
    /// The source whose cache had the sign-in.
    pub source: Source,
    /// Whether this call redeemed a refresh token for it; `false` for a token that was cached
    /// before.
    pub refreshed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_debug_form_of_a_token_has_no_secret() {
        let token = AccessToken {
            token: "hunter2".to_owned().into(),
            expires_on: 1,
            refresh_on: None,
            token_type: "Bearer".into(),
        };
        assert!(!format!("{token:?}").contains("hunter2"));
    }
}
