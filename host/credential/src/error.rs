use std::sync::Arc;
use std::time::Duration;

use shared_token_cache_entra::{Class, Refusal, class_of};
use shared_token_cache_vault::{Application, Hindrance};

use crate::escape;
use shared_token_cache_policy::Denied;

/// The most bytes of a message that a component makes. An error description of Entra ID has some 500.
pub(crate) const LONGEST_TEXT: usize = 16 << 10;

/// Why a call failed. The text is for people; programs tell errors apart by variant and reason, which are those of the WIT.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call or the credential's options make no sense.
    #[error("{0}")]
    InvalidArgument(String),
    /// This sign-in can't serve the call; a chain of credentials may go on to the next.
    #[error("{}", .0.message)]
    CredentialUnavailable(Unavailable),
    /// The authority refused, or answered with something that is not a token.
    #[error("{}", .0.message)]
    ClientAuthentication(AuthenticationFailure),
    /// The policy forbids what the call needs, or the component did what no component may do.
    #[error("{0}")]
    Denied(Denial),
    /// The authority could not be reached, or had no capacity. A later try may succeed.
    #[error("{0}")]
    Unreachable(Unreachable),
    /// The call ran into a limit, usually one of the policy's. The next call starts afresh.
    #[error("{0}")]
    Limit(LimitExceeded),
    /// The component broke. That is a bug in it, or in this crate.
    #[error("the component failed")]
    Plugin(#[source] PluginError),
}

/// Details of [`Error::Limit`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct LimitExceeded {
    /// The field of the policy that sets the limit, such as `limits.call-seconds`; none where no field does.
    pub field: Option<&'static str>,
    /// What there was too much of, for a person.
    pub message: String,
    /// After how long a call can succeed, for a limit on what is done in a time.
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
    /// What failed, for a person.
    pub message: String,
    /// What to change, where only that helps: a variable with a proxy, or which certificates are trusted.
    pub hint: Option<String>,
    /// After how long a call can succeed, where the authority or this crate sets a pause.
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

/// What went wrong in the component.
#[derive(Clone)]
pub struct PluginError(Arc<wasmtime::Error>);

impl std::fmt::Display for PluginError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The engine's text has lines, and names of functions that the component chose.
        let text = format!("{:#}", self.0);
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        f.write_str(&escape::bounded(&lines.join(" "), LONGEST_TEXT))
    }
}

impl std::fmt::Debug for PluginError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PluginError").field(&self.to_string()).finish()
    }
}

impl std::error::Error for PluginError {}

impl AsRef<Self> for Error {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Error {
    pub(crate) fn plugin(error: wasmtime::Error) -> Self {
        Self::Plugin(PluginError(Arc::new(error)))
    }

    /// A denial that no policy can lift.
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

    /// After how long a call can succeed, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable(unreachable) => unreachable.retry_after,
            Self::Limit(limit) => limit.retry_after,
            Self::InvalidArgument(_)
            | Self::CredentialUnavailable(_)
            | Self::ClientAuthentication(_)
            | Self::Denied(_)
            | Self::Plugin(_) => None,
        }
    }

    /// What to change so that a call can succeed, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Denied(denial) => denial.hint.as_deref(),
            Self::Unreachable(unreachable) => unreachable.hint.as_deref(),
            Self::InvalidArgument(_)
            | Self::CredentialUnavailable(_)
            | Self::ClientAuthentication(_)
            | Self::Limit(_)
            | Self::Plugin(_) => None,
        }
    }

    /// The kind of error, spelled as in the WIT; `limit` and `plugin` are the host's own.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InvalidArgument(_) => "invalid-argument",
            Self::CredentialUnavailable(_) => "credential-unavailable",
            Self::ClientAuthentication(_) => "client-authentication",
            Self::Denied(_) => "denied",
            Self::Unreachable(_) => "unreachable",
            Self::Limit(_) => "limit",
            Self::Plugin(_) => "plugin",
        }
    }

    /// The reason, spelled as in the WIT, where the kind has reasons.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::CredentialUnavailable(unavailable) => Some(unavailable.reason.as_str()),
            Self::ClientAuthentication(failure) => Some(failure.reason.as_str()),
            Self::InvalidArgument(_) | Self::Denied(_) | Self::Unreachable(_) | Self::Limit(_) | Self::Plugin(_) => {
                None
            }
        }
    }
}

/// Details of [`Error::Denied`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// What is denied, for a person.
    pub message: String,
    /// What to write into the policy to allow it, where the policy is what denies it.
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
    /// What is missing.
    pub reason: UnavailableReason,
    /// The same for a person, with what to do about it.
    pub message: String,
    /// The accounts to choose from, where there are several.
    pub candidates: Vec<Account>,
    /// What was wrong with each source, where several were tried.
    pub sources: Vec<SourceFailure>,
}

/// A source of a credential that had no token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFailure {
    /// The source, as `--source` takes it.
    pub source: String,
    /// The username of its account, where the authority was asked for that one.
    pub account: Option<String>,
    /// The kind of its error; see [`Error::kind`].
    pub kind: &'static str,
    /// The reason of its error; see [`Error::reason`].
    pub reason: Option<&'static str>,
    /// What was wrong, for a person.
    pub message: String,
}

impl SourceFailure {
    /// The source with its account.
    pub(crate) fn name(&self) -> String {
        name(&self.source, self.account.as_deref())
    }
}

/// A source with its account, for a person.
pub(crate) fn name(source: &str, account: Option<&str>) -> String {
    match account {
        Some(account) => format!("{source} ({account})"),
        None => source.to_owned(),
    }
}

/// An account, as far as a person needs it to choose one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The username, as cached.
    pub username: String,
    /// The tenant that the account lives in, where its id tells.
    pub home_tenant_id: Option<String>,
}

/// An account in a cache, with what it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedAccount {
    /// The account.
    pub account: Account,
    /// Its cloud, as the cache names it: a host such as `login.microsoftonline.com`.
    pub environment: String,
    /// The tenants in which it was used.
    pub tenants: Vec<String>,
    /// How many refresh tokens of it the credential may redeem. With none, the credential does not choose it.
    pub usable_refresh_tokens: u32,
    /// How many access tokens of it are cached, for any client, expired ones included.
    pub access_tokens: u32,
    /// When the last of these expires, in seconds since the Unix epoch.
    pub latest_expiry: Option<u64>,
    /// What keeps the credential from choosing the account; nothing where it may be chosen. An application, which is no account, has no
    /// username.
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

/// Why a sign-in can't serve a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnavailableReason {
    /// The cache can't be read.
    CacheUnavailable,
    /// The cache is not a JSON object. It is left as it is.
    CacheCorrupt,
    /// This platform has no shared token cache.
    UnsupportedPlatform,
    /// The cache holds no account with a refresh token that this client may use.
    NoAccounts,
    /// None of the accounts has the requested username and tenant.
    NoMatchingAccount,
    /// Several accounts, and nothing that selects one.
    MultipleAccounts,
    /// Several accounts have the requested username or tenant.
    MultipleMatchingAccounts,
    /// The account has neither a fitting access token nor a refresh token that the authority takes.
    NoToken,
}

impl UnavailableReason {
    /// The reason as the WIT spells it.
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
    /// What kind of refusal it is.
    pub reason: AuthenticationFailureReason,
    /// The same for a person.
    pub message: String,
    /// What the authority said, where it answered with an OAuth 2.0 error.
    pub oauth: Option<Box<OAuthError>>,
    /// What was wrong with each source, where several were tried.
    pub sources: Vec<SourceFailure>,
}

/// What kind of refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthenticationFailureReason {
    /// The call names a tenant that the options do not allow; nothing was sent.
    TenantNotAllowed,
    /// The authority answered with an OAuth 2.0 error.
    OAuthError,
    /// The authority's answer is neither a token nor an OAuth 2.0 error.
    UnexpectedResponse,
}

impl AuthenticationFailureReason {
    /// The reason as the WIT spells it.
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
    /// `claims`: what the next request has to ask for, to be passed as [`TokenRequestOptions::claims`].
    ///
    /// [`TokenRequestOptions::claims`]: crate::TokenRequestOptions::claims
    pub claims: Option<String>,
    /// `correlation_id`, to be quoted to Microsoft's support.
    pub correlation_id: Option<String>,
}

impl OAuthError {
    /// What helps against the error, such as `busy`, `interaction-needed` or `dead-grant`; none for an error that this crate does
    /// not know.
    #[must_use]
    pub fn class(&self) -> Option<&'static str> {
        self.known_class().map(Class::as_str)
    }

    /// Whether the error says nothing about the sign-in, so that a later try can succeed.
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
        // The status is not known any more, and decides only where the error does not.
        class_of(0, Some(&refusal))
    }
}
