use crate::account_info::Account;

/// The reason why a call failed. The text is for people; programs use the variant and its reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The call's arguments or the credential's options are invalid.
    #[error("{0}")]
    InvalidArgument(String),
    /// This sign-in can't serve the call.
    #[error("{}", .0.message)]
    CredentialUnavailable(Unavailable),
    /// The authority refused, or its response is not a token.
    #[error("{}", .0.message)]
    ClientAuthentication(AuthenticationFailure),
    /// The host's policy forbids a read or a request of the call.
    #[error("{0}")]
    Denied(String),
    /// The authority is unreachable or overloaded.
    #[error("{0}")]
    Unreachable(String),
}

/// Details of [`Error::CredentialUnavailable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// The reason, for programs.
    pub reason: UnavailableReason,
    /// The reason, for people.
    pub message: String,
    /// The accounts to choose from, where there are several.
    pub candidates: Vec<Account>,
}

/// Why a sign-in can't serve a call. The order is that of the WIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnavailableReason {
    /// The cache can't be read.
    CacheUnavailable,
    /// The cache is not a JSON object.
    CacheCorrupt,
    /// This platform has no shared token cache.
    UnsupportedPlatform,
    /// No account with a usable refresh token.
    NoAccounts,
    /// None of the accounts has the requested username and tenant.
    NoMatchingAccount,
    /// Several accounts, and nothing that selects one.
    MultipleAccounts,
    /// Several accounts have the requested username or tenant.
    MultipleMatchingAccounts,
    /// The account has no usable token.
    NoToken,
}

/// Details of [`Error::ClientAuthentication`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticationFailure {
    /// The kind of refusal.
    pub reason: AuthenticationFailureReason,
    /// The refusal, for people.
    pub message: String,
    /// The authority's OAuth 2.0 error.
    pub oauth: Option<Box<OAuthError>>,
}

/// The kind of refusal. The order is that of the WIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticationFailureReason {
    /// The call names a tenant that the options do not allow.
    TenantNotAllowed,
    /// The authority answered with an OAuth 2.0 error.
    OAuthError,
    /// The answer is neither a token nor an OAuth 2.0 error.
    UnexpectedResponse,
}

/// An error response of RFC 6749, section 5.2, with the fields that Microsoft Entra ID adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    /// `error`.
    pub code: String,
    /// `suberror`.
    pub suberror: Option<String>,
    /// `error_description`.
    pub description: Option<String>,
    /// `error_codes`.
    pub error_codes: Vec<u64>,
    /// `claims`.
    pub claims: Option<String>,
    /// `correlation_id`.
    pub correlation_id: Option<String>,
}

impl Error {
    pub(crate) fn unavailable(reason: UnavailableReason, message: impl Into<String>) -> Self {
        Self::CredentialUnavailable(Unavailable { reason, message: message.into(), candidates: Vec::new() })
    }

    pub(crate) fn unexpected_response(message: impl Into<String>) -> Self {
        Self::ClientAuthentication(AuthenticationFailure {
            reason: AuthenticationFailureReason::UnexpectedResponse,
            message: message.into(),
            oauth: None,
        })
    }
}
