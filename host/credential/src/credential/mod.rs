//! The credential, as a Rust program uses it.

mod builder;
mod examine;
mod outcome;
mod pool;
mod profile;
mod released;
mod single_flight;
mod tried;
mod vault;

pub use builder::Builder;
pub(crate) use examine::Sights;
pub(crate) use single_flight::SingleFlight;

use std::sync::Arc;
use std::time::Instant;

use shared_token_cache_entra::agent_session::AgentSession;
use shared_token_cache_vault::Origin;

use crate::access_token::{AccessToken, IssuedToken};
use crate::audit::Audit;
use crate::error::{AuthenticationFailureReason, CachedAccount, Error, name};
use crate::options::TokenRequestOptions;
use crate::sandbox::NotIssued;
use outcome::{Answer, NoToken, TokenFound};
use pool::Pool;
use shared_token_cache_policy::Source;
use tried::Tried;

/// Access tokens from the sign-in that already exists on this machine.
///
/// Several tasks may use it at once. A clone is the same credential.
///
/// ```no_run
/// use shared_token_cache::policy::{CacheName, Policy};
/// use shared_token_cache::SharedTokenCacheCredential;
///
/// # async fn example() -> Result<(), shared_token_cache::Error> {
/// let credential = SharedTokenCacheCredential::builder()
///     .policy(Policy::for_current_user(CacheName::default()))
///     .username("user0@contoso.com")
///     .build()?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"]).await?;
/// println!("expires at {}", token.expires_on);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SharedTokenCacheCredential {
    inner: Arc<Inner>,
}

struct Inner {
    /// One for each source, in the order in which they are tried.
    sources: Vec<(Source, Pool)>,
    single_flight: SingleFlight<Call, Answer>,
    audit: Audit,
    agent_session: Option<AgentSession>,
}

/// The key of single flight: equal calls share one result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Call {
    scopes: Vec<String>,
    request: TokenRequestOptions,
}

impl SharedTokenCacheCredential {
    /// Options for a credential. Without a policy it can access nothing.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Whether this platform has a shared token cache. Reads nothing.
    #[must_use]
    pub fn supported() -> bool {
        shared_token_cache_storage::supported()
    }

    /// An access token for `scopes`: a cached one if one fits, otherwise a new one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_token<S: AsRef<str>>(&self, scopes: &[S]) -> Result<AccessToken, Error> {
        Ok(self.get_token_with(scopes, TokenRequestOptions::default()).await?.access_token)
    }

    /// [`Self::get_token`] with options for this call; returns the token with its source. Equal
    /// calls at the same time share one result.
    ///
    /// ```no_run
    /// # use shared_token_cache::{Error, SharedTokenCacheCredential, TokenRequestOptions};
    /// # async fn example(credential: SharedTokenCacheCredential, challenge: String) -> Result<(), Error> {
    /// // A resource refused the token and says which claims it wants.
    /// let request = TokenRequestOptions { claims: Some(challenge), enable_cae: true, ..Default::default() };
    /// let served = credential.get_token_with(&["https://graph.microsoft.com/.default"], request).await?;
    /// println!("from the source {}", served.source);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_token_with<S: AsRef<str>>(
        &self,
        scopes: &[S],
        request: TokenRequestOptions,
    ) -> Result<IssuedToken, Error> {
        let start = Instant::now();
        let call = Call { scopes: scopes.iter().map(|scope| scope.as_ref().to_owned()).collect(), request };
        let answer = match self.inner.released(&call) {
            Some(found) => Ok(found),
            None => {
                let answer = self.inner.single_flight.join(&call, || {
                    let (inner, call) = (Arc::clone(&self.inner), call.clone());
                    async move { inner.get_token(&call).await }
                });
                answer.await
            }
        };
        if self.inner.audit.is_heard() {
            self.inner.audit.write(&outcome::line(&call, &answer, start.elapsed(), self.inner.agent_session.is_some()));
        }
        match answer {
            Ok(TokenFound { issued, source }) => {
                let refreshed = issued.origin == Origin::Refreshed;
                Ok(IssuedToken { access_token: issued.token.clone(), source, refreshed })
            }
            Err(NoToken { error, .. }) => Err(error),
        }
    }

    /// The agent session that this credential's tokens are marked with: that of
    /// [`crate::HostSettings`], unless the builder or the profile switched it off.
    #[must_use]
    pub fn agent_session(&self) -> Option<&AgentSession> {
        self.inner.agent_session.as_ref()
    }

    /// The accounts in each source, in the order in which the sources are tried, regardless of the
    /// credential's username and tenant. `enable_cae` selects one of a source's two caches.
    pub async fn accounts(&self, enable_cae: bool) -> Vec<(Source, Result<Vec<CachedAccount>, Error>)> {
        let mut found = Vec::new();
        for (source, pool) in &self.inner.sources {
            found.push((source.clone(), pool.accounts(enable_cae).await));
        }
        found
    }

    /// Drops the state in memory and closes idle connections. The credential remains usable, and
    /// starts afresh.
    ///
    /// # Errors
    /// When the component fails.
    pub async fn close(&self) -> Result<(), Error> {
        let mut closed = Ok(());
        // A component that fails keeps no other source open.
        for (_, pool) in &self.inner.sources {
            closed = closed.and(pool.close().await);
        }
        closed
    }

    /// The same credential with instances, single flight and a last known state of the cache of its
    /// own. Calls of other holders then hide no change of the cache from this one's.
    pub(crate) fn apart(&self) -> Self {
        let sources = self.inner.sources.iter().map(|(source, pool)| (source.clone(), pool.apart())).collect();
        let (audit, agent_session) = (self.inner.audit.clone(), self.inner.agent_session.clone());
        Self { inner: Arc::new(Inner { sources, single_flight: SingleFlight::new(), audit, agent_session }) }
    }

    /// Drops the instances that no call uses. The next call creates one, which reads the document.
    pub(crate) fn drop_idle_instances(&self) {
        self.inner.sources.iter().for_each(|(_, pool)| pool.drop_idle());
    }

    /// Asks the component whether this platform has a shared token cache; [`Self::supported`] needs
    /// no component.
    ///
    /// # Errors
    /// When the component fails.
    pub async fn component_supported(&self) -> Result<bool, Error> {
        match self.inner.sources.first() {
            Some((_, pool)) => pool.supported().await,
            None => Err(no_source()),
        }
    }
}

impl std::fmt::Debug for SharedTokenCacheCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sources: Vec<_> = self.inner.sources.iter().map(|(source, _)| source).collect();
        f.debug_struct("SharedTokenCacheCredential").field("sources", &sources).finish_non_exhaustive()
    }
}

impl Inner {
    /// The token that the first source's component released for an equal call. A token of a later
    /// source is not reused, because each call has to try the first source again.
    fn released(&self, call: &Call) -> Option<TokenFound> {
        let (source, pool) = self.sources.first()?;
        Some(TokenFound { issued: pool.released(call)?, source: source.clone() })
    }

    /// Tries the sources in order, each completely: its cached tokens, then its refresh tokens. A
    /// source without a usable sign-in passes the call to the next. So the account depends on the
    /// order of the sources and on refusals of the authority, but never on which tokens are cached,
    /// or on the network.
    async fn get_token(&self, call: &Call) -> Answer {
        let mut tried = Tried::default();
        let mut sources = self.sources.iter();
        while let Some((source, pool)) = sources.next() {
            let (error, denied) = match pool.get_token(call).await {
                Ok(issued) => {
                    self.warn_of_refusals(&tried, source, pool, call).await;
                    return Ok(TokenFound { issued, source: source.clone() });
                }
                Err(NotIssued { error, denied }) => (error, denied),
            };
            let asked = matches!(error, Error::ClientAuthentication(_) | Error::Unreachable(_) | Error::Limit(_));
            let account = if asked && self.sources.len() > 1 { self.account(pool, call).await } else { None };
            tracing::debug!(%source, %error, "this source cannot serve the call");
            let ends = !passes_on(&error);
            tried.push(source, account, error);
            if ends {
                let not_asked: Vec<_> = sources.map(|(source, _)| source.to_string()).collect();
                let error = tried.ended(&not_asked).unwrap_or_else(no_source);
                return Err(NoToken { error, denied, source: Some(source.clone()) });
            }
        }
        let (error, refused) = tried.error().unwrap_or_else(|| (no_source(), None));
        let source = self.sources.iter().map(|(source, _)| source).find(|source| Some(source.to_string()) == refused);
        Err(NoToken { error, denied: None, source: source.cloned() })
    }

    /// Logs a warning if an earlier source refused, and the token is of a later one.
    async fn warn_of_refusals(&self, tried: &Tried, source: &Source, pool: &Pool, call: &Call) {
        if tried.refused().next().is_none() {
            return;
        }
        let account = self.account(pool, call).await;
        let serves = name(&source.to_string(), account.as_deref());
        for refused in tried.refused() {
            tracing::warn!(
                "the token comes from the source {serves}, because {} has none: {}",
                refused.name(),
                refused.message
            );
        }
    }

    /// The username of the account of a source's calls, if it is certain.
    async fn account(&self, pool: &Pool, call: &Call) -> Option<String> {
        let options = pool.options();
        if let Some(record) = &options.authentication_record {
            return Some(record.username.clone());
        }
        let fits = |wanted: Option<&String>, found: Option<&str>| {
            wanted.is_none_or(|wanted| found.is_some_and(|found| found.eq_ignore_ascii_case(wanted)))
        };
        let accounts = pool.accounts(call.request.enable_cae).await.ok()?;
        let mut usable = accounts.into_iter().filter(|found| {
            found.usable_refresh_tokens > 0
                && fits(options.username.as_ref(), Some(&found.account.username))
                && (options.enable_guest_tenant_authentication
                    || fits(options.tenant_id.as_ref(), found.account.home_tenant_id.as_deref()))
        });
        let account = usable.next()?;
        usable.next().is_none().then_some(account.account.username)
    }
}

/// Whether the call passes to the next source: its sign-in may fit, or be accepted by the
/// authority, or be allowed by the policy. An unreachable authority gives no information about a
/// sign-in, so the call does not pass on to another user's. See also [`tried::ends_because`].
fn passes_on(error: &Error) -> bool {
    match error {
        Error::CredentialUnavailable(_) => true,
        // A reply without a token depends on the sign-in, as a refusal does.
        Error::ClientAuthentication(failure) => matches!(
            failure.reason,
            AuthenticationFailureReason::OAuthError | AuthenticationFailureReason::UnexpectedResponse
        ),
        Error::Denied(denial) => denial.hint.is_some(),
        // The document of another source, or the reply to its sign-in, may be smaller.
        Error::Limit(limit) => !limit.field.is_some_and(|field| LIMITS_OF_ALL.contains(&field)),
        _ => false,
    }
}

/// Limits that apply to all sources together, or that pass with time only.
const LIMITS_OF_ALL: [&str; 3] = ["limits.requests-per-minute", "limits.call-seconds", "limits.instances"];

fn no_source() -> Error {
    Error::InvalidArgument("the credential has no source; name at least one".into())
}
