//! The tokens of a profile: from its refresher, or from a call on demand.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use shared_token_cache::policy::{AgentSessionUse, Profile};
use shared_token_cache::{AccessToken, Error, SharedTokenCacheCredential, TokenRequestOptions, TokenState};
use tokio::sync::{Semaphore, watch};

use super::agent_session::Marks;

/// The time limit of a request. Clients of the Azure SDKs wait for about a minute, the programs
/// before them for less. The policy's limit of a call is usually shorter.
const PATIENCE: Duration = Duration::from_secs(30);

/// The concurrent calls that requests have started.
const MOST_CALLS: u32 = 64;

/// The tokens of a profile, for a front.
pub(crate) struct ProfileTokens {
    scopes: BTreeSet<String>,
    tenant: Option<String>,
    client_id: Option<String>,
    request: TokenRequestOptions,
    credential: SharedTokenCacheCredential,
    kept: Option<watch::Receiver<TokenState>>,
    marks: Marks,
}

/// The calls in progress. A call outlives its request, because its response may hold a new refresh
/// token.
#[derive(Clone)]
pub(super) struct Calls(Arc<Semaphore>);

impl Calls {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST_CALLS as usize)))
    }

    /// Waits until all calls have ended.
    pub(super) async fn ended(&self) {
        // The semaphore is never closed.
        drop(self.0.acquire_many(MOST_CALLS).await);
    }
}

impl ProfileTokens {
    /// Tokens of a profile with a refresher.
    pub(crate) fn kept(
        profile: &Profile,
        credential: SharedTokenCacheCredential,
        kept: watch::Receiver<TokenState>,
    ) -> Self {
        Self { kept: Some(kept), ..Self::on_demand(profile, credential) }
    }

    /// Tokens of a profile without a refresher, from one call per request.
    pub(crate) fn on_demand(profile: &Profile, credential: SharedTokenCacheCredential) -> Self {
        Self {
            tenant: profile.tenant().map(str::to_owned),
            client_id: profile.client_id().map(str::to_owned),
            request: profile.into(),
            marks: Marks::of(profile.agent_session(), &credential),
            ..Self::of_scopes(profile.scopes(), credential)
        }
    }

    /// Tokens on demand for any of these scopes.
    pub(crate) fn of_scopes(scopes: &[String], credential: SharedTokenCacheCredential) -> Self {
        let (scopes, request) = (scopes.iter().cloned().collect(), TokenRequestOptions::default());
        let marks = Marks::of(AgentSessionUse::Pass, &credential);
        Self { scopes, tenant: None, client_id: None, request, credential, kept: None, marks }
    }

    /// Whether the profile names all these scopes, literally.
    pub(super) fn grants(&self, scopes: &[String]) -> bool {
        !scopes.is_empty() && scopes.iter().all(|scope| self.scopes.contains(scope))
    }

    /// Whether the profile's tenant is this one.
    pub(super) fn is_of(&self, tenant: &str) -> bool {
        self.tenant.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(tenant))
    }

    /// Whether the tokens carry the mark of an agent session.
    pub(super) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// The client id of the profile, if it names one.
    pub(super) fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// A token for scopes that the profile grants.
    pub(super) async fn token(&self, scopes: &[String], calls: &Calls) -> Result<Arc<AccessToken>, Arc<Error>> {
        let is_kept = scopes.iter().collect::<BTreeSet<_>>() == self.scopes.iter().collect();
        let token = async {
            match &self.kept {
                Some(kept) if is_kept => current(kept.clone()).await,
                Some(_) | None => self.ask(scopes, calls).await,
            }
        };
        let late = || Err(Arc::new(Error::Unreachable("the token did not arrive in time".into())));
        tokio::time::timeout(PATIENCE, token).await.unwrap_or_else(|_| late())
    }

    async fn ask(&self, scopes: &[String], calls: &Calls) -> Result<Arc<AccessToken>, Arc<Error>> {
        let permit = Arc::clone(&calls.0).acquire_owned().await;
        let (credential, scopes, request) = (self.credential.clone(), scopes.to_vec(), self.request.clone());
        let call = tokio::spawn(async move {
            let answer = credential.get_token_with(&scopes, request).await;
            drop(permit);
            answer
        });
        match call.await {
            Ok(Ok(served)) => Ok(Arc::new(served.access_token)),
            Ok(Err(error)) => Err(Arc::new(error)),
            Err(_) => Err(Arc::new(Error::Unreachable("the call for the token panicked".into()))),
        }
    }
}

/// The refresher's token, after its first attempt; never an expired one.
async fn current(mut kept: watch::Receiver<TokenState>) -> Result<Arc<AccessToken>, Arc<Error>> {
    let state = kept.wait_for(|state| !matches!(state, TokenState::Pending)).await;
    let gone = || Err(Arc::new(Error::Unreachable("the agent is about to end".into())));
    let Ok(state) = state else { return gone() };
    match &*state {
        TokenState::Valid(token) if token.expires_on > now() => Ok(Arc::clone(token)),
        TokenState::Valid(_) => Err(Arc::new(Error::Unreachable("the token has expired".into()))),
        TokenState::Withdrawn(error) => Err(Arc::clone(error)),
        TokenState::Pending => gone(),
    }
}

/// Seconds since the Unix epoch.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
