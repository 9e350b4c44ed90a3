//! Keeps a token fresh for others: a proxy, an agent.

mod keep;
mod schedule;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::access_token::AccessToken;
use crate::credential::SharedTokenCacheCredential;
use crate::error::Error;
use crate::policy::Profile;
use keep::Keeper;

/// What there is of a token that is kept fresh.
#[derive(Debug, Clone)]
pub enum TokenState {
    /// The first answer is on its way.
    Pending,
    /// A token that may be sent.
    Valid(Arc<AccessToken>),
    /// There is none: it could not be renewed before it expired, or its sign-in is gone. Whoever has an older one is to forget it.
    Withdrawn(Arc<Error>),
}

/// Keeps the token of a profile fresh.
///
/// It is renewed 5 minutes before it expires, or when the authority wants it (`refresh_on`); one that lives no longer than 5 minutes at
/// half its life. Errors that may pass are tried again, after 1 s at first and 30 s at last, and the token stays as long as it lives.
/// When the sign-in is gone, the policy does not allow it, or the authority refuses, it is withdrawn at once. What other
/// programs change about the cache is noticed within half a second, be it a sign-in, a sign-out, or a newer token.
///
/// ```no_run
/// use shared_token_cache::policy::Policy;
/// use shared_token_cache::{SharedTokenCacheCredential, TokenRefresher, TokenState};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::from_toml(&std::fs::read_to_string("policy.toml")?)?;
/// let profile = policy.profile("entra/graph").ok_or("the policy has no such profile")?;
/// let credential = SharedTokenCacheCredential::builder_for(&policy, profile).build()?;
/// let graph = TokenRefresher::start(credential, profile);
/// // For each request:
/// match graph.state() {
///     TokenState::Valid(token) => println!("send the token, which expires at {}", token.expires_on),
///     TokenState::Pending | TokenState::Withdrawn(_) => println!("answer 401"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TokenRefresher {
    state: watch::Receiver<TokenState>,
    attempts: Attempts,
    /// The work ends when this is dropped, after the call that is under way: an answer may hold a new refresh token.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// How often a credential was asked for a token that is kept fresh. Clones count the same.
#[derive(Debug, Clone, Default)]
pub struct Attempts(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl TokenRefresher {
    /// Begins to keep a token. The credential should be one of [`SharedTokenCacheCredential::builder_for`] this profile.
    ///
    /// # Panics
    /// Outside a tokio runtime with time, as `tokio::spawn` does.
    #[must_use]
    pub fn start(credential: SharedTokenCacheCredential, profile: &Profile) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (sender, state) = watch::channel(TokenState::Pending);
        let attempts = Attempts::default();
        let keeper = Keeper::new(credential, profile, sender, attempts.clone());
        let task = tokio::spawn(keeper.run(stopped));
        Self { state, attempts, stop, task }
    }

    /// What there is now. It costs no more than a short lock.
    #[must_use]
    pub fn state(&self) -> TokenState {
        self.state.borrow().clone()
    }

    /// For whoever wants to be told of changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<TokenState> {
        self.state.clone()
    }

    /// How often the credential was asked.
    #[must_use]
    pub fn attempts(&self) -> Attempts {
        self.attempts.clone()
    }

    /// Ends the work, and waits for a call that is under way.
    pub async fn stop(self) {
        drop(self.stop);
        // A task that panicked has ended as well.
        drop(self.task.await);
    }
}

impl Attempts {
    /// The numbers so far, by what came of the calls: `cached`, `refreshed`, or the [kind](Error::kind) of the error.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().clone()
    }

    fn count(&self, outcome: &'static str) {
        *self.lock().entry(outcome).or_default() += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
