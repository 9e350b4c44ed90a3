//! The credential as a Rust program uses it.

mod builder;
mod examine;
mod flight;
mod options;
mod outcome;
mod pool;
mod profile;
mod vault;

pub use builder::Builder;
pub(crate) use options::CredentialOptions;
pub use options::{CachePersistenceOptions, HostSettings, TokenRequestOptions};

use std::sync::Arc;
use std::time::Instant;

use shared_token_cache_vault::Origin;

use crate::access_token::{AccessToken, Served};
use crate::audit::Audit;
use crate::error::{CachedAccount, Error};
use crate::plugin::NotIssued;
use crate::policy::Source;
use flight::Flights;
use outcome::{Answer, Found, Nothing};
use pool::Pool;

/// Access tokens from the sign-in that the machine already has.
///
/// It may be used from many tasks at once, and cloned: clones are the same credential.
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
    flights: Flights<Call, Answer>,
    audit: Audit,
}

/// What makes two calls the same, so that one answer serves both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Call {
    scopes: Vec<String>,
    request: TokenRequestOptions,
}

impl SharedTokenCacheCredential {
    /// Options for a credential. Without a policy it may touch nothing.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Whether this platform has a shared token cache. Reads nothing.
    #[must_use]
    pub fn supported() -> bool {
        shared_token_cache_storage::supported()
    }

    /// An access token for `scopes`: a cached one where one fits, else a new one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_token<S: AsRef<str>>(&self, scopes: &[S]) -> Result<AccessToken, Error> {
        Ok(self.get_token_with(scopes, TokenRequestOptions::default()).await?.access_token)
    }

    /// [`Self::get_token`] with options for this call, and with the source that served it. Calls that ask for the same at the
    /// same time share one answer.
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
    ) -> Result<Served, Error> {
        let start = Instant::now();
        let call = Call { scopes: scopes.iter().map(|scope| scope.as_ref().to_owned()).collect(), request };
        let answer = self.inner.flights.join(&call, || {
            let (inner, call) = (Arc::clone(&self.inner), call.clone());
            async move { inner.get_token(&call).await }
        });
        let answer = answer.await;
        self.inner.audit.write(&outcome::line(&call, &answer, start.elapsed()));
        match answer {
            Ok(Found { issued, source }) => {
                let refreshed = issued.origin == Origin::Refreshed;
                Ok(Served { access_token: issued.token, source, refreshed })
            }
            Err(Nothing { error, .. }) => Err(error),
        }
    }

    /// The accounts in each source, in the order in which the sources are tried, whatever the credential's username and tenant.
    /// `enable_cae` says in which of a source's two caches.
    pub async fn accounts(&self, enable_cae: bool) -> Vec<(Source, Result<Vec<CachedAccount>, Error>)> {
        let mut found = Vec::new();
        for (source, pool) in &self.inner.sources {
            found.push((source.clone(), pool.accounts(enable_cae).await));
        }
        found
    }

    /// Drops what is kept in memory and closes idle connections. The credential can still be used: it then starts afresh.
    ///
    /// # Errors
    /// When the component fails.
    pub async fn close(&self) -> Result<(), Error> {
        for (_, pool) in &self.inner.sources {
            pool.close().await?;
        }
        Ok(())
    }

    /// Whether the component says that this platform has a shared token cache; [`Self::supported`] knows without one.
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
    /// Tries the sources in order. One without a sign-in that fits passes on to the next; what it lacked is reported only when
    /// no other source has something better to say.
    async fn get_token(&self, call: &Call) -> Answer {
        let mut unavailable: Option<Error> = None;
        for (source, pool) in &self.sources {
            match pool.get_token(&call.scopes, &call.request).await {
                Ok(issued) => return Ok(Found { issued, source: source.clone() }),
                Err(NotIssued { error, .. }) if passes_on(&error) => {
                    tracing::debug!(%source, %error, "this source can't serve the call");
                    unavailable = Some(more_telling(unavailable, error));
                }
                Err(NotIssued { error, denied }) => {
                    return Err(Nothing { error, denied, source: Some(source.clone()) });
                }
            }
        }
        Err(Nothing { error: unavailable.unwrap_or_else(no_source), denied: None, source: None })
    }
}

/// Whether another source may do better: it may have a sign-in that fits, or one that the policy allows.
fn passes_on(error: &Error) -> bool {
    match error {
        Error::CredentialUnavailable(_) => true,
        Error::Denied(denial) => denial.remedy.is_some(),
        // Another source's document may be smaller.
        Error::Limit(limit) => limit.field == Some("limits.document-mib"),
        _ => false,
    }
}

/// Of two sources that can't serve a call, the error of the one that came closer; the first in doubt.
fn more_telling(first: Option<Error>, second: Error) -> Error {
    let knows_accounts = |error: &Error| match error {
        Error::CredentialUnavailable(unavailable) => unavailable.reason != crate::error::UnavailableReason::NoAccounts,
        _ => true,
    };
    match first {
        Some(first) if knows_accounts(&first) || !knows_accounts(&second) => first,
        _ => second,
    }
}

fn no_source() -> Error {
    Error::InvalidArgument("the credential has no source; name at least one".into())
}
