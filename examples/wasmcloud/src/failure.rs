//! Error responses to clients. They contain no secret.

use serde_json::{Value, json};

use crate::wit::credential::{AuthenticationFailureReason, Error, UnavailableReason};

pub(crate) struct Failure {
    pub(crate) status: u16,
    kind: &'static str,
    reason: Option<&'static str>,
    message: String,
    /// The usernames to choose from, where there are several.
    candidates: Vec<String>,
}

impl Failure {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, reason: None, message: message.into(), candidates: Vec::new() }
    }

    /// The client requested an unknown path.
    pub(crate) fn request(status: u16, message: &str) -> Self {
        Self::new(status, "request", message)
    }

    /// An environment variable is missing or invalid.
    pub(crate) fn settings(message: &str) -> Self {
        Self::new(500, "settings", message)
    }

    /// There is a token, but the API did not respond.
    pub(crate) fn api(message: impl Into<String>) -> Self {
        Self::new(502, "api", message)
    }

    pub(crate) fn to_json(&self) -> Value {
        let Self { kind, reason, message, candidates, .. } = self;
        json!({ "error": { "kind": kind, "reason": reason, "message": message, "candidates": candidates } })
    }
}

/// There is no token. 503: a sign-in or a grant is missing; 502: the authority refused.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidArgument(message) => Self::new(500, "invalid-argument", message),
            Error::CredentialUnavailable(why) => Self {
                reason: Some(unavailable(why.reason)),
                candidates: why.candidates.into_iter().map(|account| account.username).collect(),
                ..Self::new(503, "credential-unavailable", why.message)
            },
            Error::ClientAuthentication(why) => {
                Self { reason: Some(refused(why.reason)), ..Self::new(502, "client-authentication", why.message) }
            }
            Error::Denied(message) => Self::new(503, "denied", message),
            Error::Unreachable(message) => Self::new(503, "unreachable", message),
        }
    }
}

fn unavailable(reason: UnavailableReason) -> &'static str {
    match reason {
        UnavailableReason::CacheUnavailable => "cache-unavailable",
        UnavailableReason::CacheCorrupt => "cache-corrupt",
        UnavailableReason::UnsupportedPlatform => "unsupported-platform",
        UnavailableReason::NoAccounts => "no-accounts",
        UnavailableReason::NoMatchingAccount => "no-matching-account",
        UnavailableReason::MultipleAccounts => "multiple-accounts",
        UnavailableReason::MultipleMatchingAccounts => "multiple-matching-accounts",
        UnavailableReason::NoToken => "no-token",
    }
}

fn refused(reason: AuthenticationFailureReason) -> &'static str {
    match reason {
        AuthenticationFailureReason::TenantNotAllowed => "tenant-not-allowed",
        AuthenticationFailureReason::OauthError => "oauth-error",
        AuthenticationFailureReason::UnexpectedResponse => "unexpected-response",
    }
}
