use std::sync::Arc;
use std::time::Duration;

use shared_token_cache_entra::{Class, Refusal, class_of};
use shared_token_cache_vault::{Application, Hindrance};

use crate::escape;
use shared_token_cache_policy::Denied;

/// The size limit of a component's message, in bytes. An error description of Entra ID has some
/// 500.
pub(crate) const LONGEST_TEXT: usize = 16 << 10;

/// The reason why a call failed. The text is for people; programs compare the variant and the
/// reason, which are those of the WIT.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call or the credential's options are invalid.
    #[error("{0}")]
    InvalidArgument(String),
    /// This sign-in cannot serve the call; a chain of credentials may try the next one.
    #[error("{}", .0.message)]
    CredentialUnavailable(Unavailable),
    /// The authority refused, or its reply is not a token response.
    #[error("{}", .0.message)]
    ClientAuthentication(AuthenticationFailure),
    /// The policy forbids what the call needs, or the component did something that no component may
    /// do.
    #[error("{0}")]
    Denied(Denial),
    /// The authority was unreachable or overloaded. A retry may succeed.
    #[error("{0}")]
    Unreachable(Unreachable),
    /// The call exceeded a limit, usually one of the policy's. The next call starts with a new
    /// instance.
    #[error("{0}")]
    Limit(LimitExceeded),
    /// The component failed: a bug in it, or in this crate.
    #[error("the component failed")]
    Component(#[source] ComponentError),
}

/// Details of [`Error::Limit`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct LimitExceeded {
    /// The field of the policy that sets the limit, such as `limits.call-seconds`; `None` for a
    /// limit that the policy does not set.
    pub field: Option<&'static str>,
    /// The limit and what exceeded it, for people.
    pub message: String,
    /// The time until a call can succeed, for a rate limit.
    pub retry_after: Option<Duration>,
}

impl LimitExceeded {
    pub(crate) fn new(field: &'static str, what: &str) -> Self {
        Self { field: Some(field), message: format!("{what} (`{field}` of the policy)"), retry_after: None }
    }

    pub(crate) fn fixed(what: &str) -> Self {
        Self { field: None, message: what.to_owned(), retry_after: None }
    }
}

/// Details of [`Error::Unreachable`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreachable {
    /// The failed operation, for people.
    pub message: String,
    /// The change that helps, if only that helps: to a proxy's variable, or to the trusted
    /// certificates.
    pub hint: Option<String>,
    /// The time until a call can succeed, if the authority or this crate sets a pause.
    pub retry_after: Option<Duration>,
}

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl From<&str> for Unreachable {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

impl From<String> for Unreachable {
    fn from(message: String) -> Self {
        Self { message, hint: None, retry_after: None }
    }
}

/// The failure of the component.
#[derive(Clone)]
pub struct ComponentError(Arc<wasmtime::Error>);

impl std::fmt::Display for ComponentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The engine's text has several lines, and names of functions that the component chose.
        let text = format!("{:#}", self.0);
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        f.write_str(&escape::bounded(&lines.join(" "), LONGEST_TEXT))
    }
}

impl std::fmt::Debug for ComponentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ComponentError").field(&self.to_string()).finish()
    }
}

impl std::error::Error for ComponentError {}

impl AsRef<Self> for Error {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Error {
    pub(crate) fn component(error: wasmtime::Error) -> Self {
        Self::Component(ComponentError(Arc::new(error)))
    }

    /// A denial that no change of the policy lifts.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::Denied(Denial { message: message.into(), hint: None })
    }

    pub(crate) fn cache_unavailable(message: String) -> Self {
        let reason = UnavailableReason::CacheUnavailable;
        Self::CredentialUnavailable(Unavailable { reason, message, candidates: Vec::new(), sources: Vec::new() })
    }

    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self::Unreachable(message.into().into())
    }

    /// The time until a call can succeed, if known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable(unreachable) => unreachable.retry_after,
            Self::Limit(limit) => limit.retry_after,
            Self::InvalidArgument(_)
            | Self::CredentialUnavailable(_)
            | Self::ClientAuthentication(_)
            | Self::Denied(_)
            | Self::Component(_) => None,
        }
    }

    /// The change by which a call can succeed, if known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Denied(denial) => denial.hint.as_deref(),
            Self::Unreachable(unreachable) => unreachable.hint.as_deref(),
            Self::InvalidArgument(_)
            | Self::CredentialUnavailable(_)
            | Self::ClientAuthentication(_)
            | Self::Limit(_)
            | Self::Component(_) => None,
        }
    }

    /// The kind of error, spelled as in the WIT. `limit` and `plugin` exist in the host only.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InvalidArgument(_) => "invalid-argument",
            Self::CredentialUnavailable(_) => "credential-unavailable",
            Self::ClientAuthentication(_) => "client-authentication",
            Self::Denied(_) => "denied",
            Self::Unreachable(_) => "unreachable",
            Self::Limit(_) => "limit",
            Self::Component(_) => "plugin",
        }
    }

    /// The reason, spelled as in the WIT, for kinds that have reasons.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::CredentialUnavailable(unavailable) => Some(unavailable.reason.as_str()),
            Self::ClientAuthentication(failure) => Some(failure.reason.as_str()),
            Self::InvalidArgument(_) | Self::Denied(_) | Self::Unreachable(_) | Self::Limit(_) | Self::Component(_) => {
                None
            }
        }
    }
}

/// Details of [`Error::Denied`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// The denied operation, for people.
    pub message: String,
    /// The change to the policy that allows it, if the policy denies it.
    pub hint: Option<String>,
}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl From<Denied> for Denial {
    fn from(denied: Denied) -> Self {
        let message = format!("the policy does not allow {}", denied.what());
        Self { message, hint: Some(denied.hint().to_owned()) }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied.into())
    }
}

/// Details of [`Error::CredentialUnavailable`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unavailable {
    /// The reason, for programs.
    pub reason: UnavailableReason,
    /// The reason and a hint, for people.
    pub message: String,
    /// The accounts to choose from, if there are several.
    pub candidates: Vec<Account>,
    /// The failure of each source, if several were tried.
    pub sources: Vec<SourceFailure>,
}

/// A source of a credential that gave no token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFailure {
    /// The source, in the form of `--source`.
    pub source: String,
    /// The username of its account, if a request to the authority was made for it.
    pub account: Option<String>,
    /// The kind of its error; see [`Error::kind`].
    pub kind: &'static str,
    /// The reason of its error; see [`Error::reason`].
    pub reason: Option<&'static str>,
    /// The failure, for people.
    pub message: String,
}

impl SourceFailure {
    /// The source with its account.
    pub(crate) fn name(&self) -> String {
        name(&self.source, self.account.as_deref())
    }
}

/// A source with its account, for people.
pub(crate) fn name(source: &str, account: Option<&str>) -> String {
    match account {
        Some(account) => format!("{source} ({account})"),
        None => source.to_owned(),
    }
}

/// An account, with the fields by which people choose one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The username, as cached.
    pub username: String,
    /// The account's home tenant, if its id names one.
    pub home_tenant_id: Option<String>,
}

/// An account in a cache, with the number and expiry of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedAccount {
    /// The account.
    pub account: Account,
    /// Its cloud, as the cache names it: a host such as `login.microsoftonline.com`.
    pub environment: String,
    /// The tenants in which it was used.
    pub tenants: Vec<String>,
    /// The number of its refresh tokens that the credential may redeem. Without any, the credential
    /// does not choose the account.
    pub usable_refresh_tokens: u32,
    /// The number of its cached access tokens, for any client, including expired ones.
    pub access_tokens: u32,
    /// The latest expiry of these, in seconds since the Unix epoch.
    pub latest_expiry: Option<u64>,
    /// The reason why the credential cannot choose the account; `None` if it can. An application is
    /// not an account, and has no username.
    pub hindrance: Option<Hindrance>,
}

impl From<Application> for CachedAccount {
    fn from(application: Application) -> Self {
        let Application { client_id, environment, tenants, access_tokens, latest_expiry } = application;
        let account = Account { username: String::new(), home_tenant_id: None };
        let hindrance = Some(Hindrance::Application(client_id));
        Self { account, environment, tenants, usable_refresh_tokens: 0, access_tokens, latest_expiry, hindrance }
    }
}

/// The reason why a sign-in cannot serve a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnavailableReason {
    /// The cache cannot be read.
    CacheUnavailable,
    /// The cache is not a JSON object. It is left unchanged.
    CacheCorrupt,
    /// This platform has no shared token cache.
    UnsupportedPlatform,
    /// The cache holds no account with a refresh token that this client may use.
    NoAccounts,
    /// None of the accounts has the requested username and tenant.
    NoMatchingAccount,
    /// There are several accounts, and no option selects one.
    MultipleAccounts,
    /// Several accounts have the requested username or tenant.
    MultipleMatchingAccounts,
    /// The account has neither a fitting access token nor a refresh token that the authority
    /// accepts.
    NoToken,
}

impl UnavailableReason {
    /// The reason, spelled as in the WIT.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CacheUnavailable => "cache-unavailable",
            Self::CacheCorrupt => "cache-corrupt",
            Self::UnsupportedPlatform => "unsupported-platform",
            Self::NoAccounts => "no-accounts",
            Self::NoMatchingAccount => "no-matching-account",
            Self::MultipleAccounts => "multiple-accounts",
            Self::MultipleMatchingAccounts => "multiple-matching-accounts",
            Self::NoToken => "no-token",
        }
    }
}

/// Details of [`Error::ClientAuthentication`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthenticationFailure {
    /// The kind of refusal.
    pub reason: AuthenticationFailureReason,
    /// The refusal, for people.
    pub message: String,
    /// The authority's OAuth 2.0 error, if it answered with one.
    pub oauth: Option<Box<OAuthError>>,
    /// The failure of each source, if several were tried.
    pub sources: Vec<SourceFailure>,
}

/// The kind of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthenticationFailureReason {
    /// The call names a tenant that the options do not allow. No request was sent.
    TenantNotAllowed,
    /// The authority answered with an OAuth 2.0 error.
    OAuthError,
    /// The authority's reply is neither a token nor an OAuth 2.0 error.
    UnexpectedResponse,
}

impl AuthenticationFailureReason {
    /// The reason, spelled as in the WIT.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TenantNotAllowed => "tenant-not-allowed",
            Self::OAuthError => "oauth-error",
            Self::UnexpectedResponse => "unexpected-response",
        }
    }
}

/// An error response of RFC 6749, section 5.2, with the fields that Microsoft Entra ID adds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OAuthError {
    /// `error`, for example `invalid_grant`.
    pub code: String,
    /// `suberror`, for example `bad_token`.
    pub suberror: Option<String>,
    /// `error_description`.
    pub description: Option<String>,
    /// `error_codes`: the numbers behind `AADSTS`.
    pub error_codes: Vec<u64>,
    /// `claims`: the claims for the next request, to be passed as [`TokenRequestOptions::claims`].
    ///
    /// [`TokenRequestOptions::claims`]: crate::TokenRequestOptions::claims
    pub claims: Option<String>,
    /// `correlation_id`, for a support request to Microsoft.
    pub correlation_id: Option<String>,
}

impl OAuthError {
    /// The class of the error by its remedy, such as `busy`, `interaction-needed` or `dead-grant`;
    /// `None` for an unknown error.
    #[must_use]
    pub fn class(&self) -> Option<&'static str> {
        self.known_class().map(Class::as_str)
    }

    /// Whether the error is independent of the sign-in, so that a retry can succeed.
    pub(crate) fn may_pass(&self) -> bool {
        self.known_class().is_some_and(Class::may_pass)
    }

    fn known_class(&self) -> Option<Class> {
        let refusal = Refusal {
            code: &self.code,
            suberror: self.suberror.as_deref(),
            numbers: &self.error_codes,
            description: self.description.as_deref(),
        };
        // The HTTP status is not stored here. It only decides where the error does not.
        class_of(0, Some(&refusal))
    }
}
