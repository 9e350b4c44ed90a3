//! Keeps a token fresh for other programs, such as a proxy or the agent's clients.

mod look;
mod post;
mod schedule;
mod worker;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::access_token::AccessToken;
use crate::credential::SharedTokenCacheCredential;
use crate::error::Error;
use post::Post;
use shared_token_cache_policy::Profile;
use worker::run;

/// The state of a token that is kept fresh.
#[derive(Debug, Clone)]
pub enum TokenState {
    /// The first call is in progress.
    Pending,
    /// A token that may be sent.
    Valid(Arc<AccessToken>),
    /// There is no token: it expired before it was renewed, its sign-in is gone, or the refresher
    /// has ended. A reader must drop an older one.
    Withdrawn(Arc<Error>),
}

/// Keeps the token of a profile fresh.
///
/// A token is renewed 5 minutes before it expires, or at the time that the authority asks for
/// (`refresh_on`); a token that lives for 5 minutes or less at half its life. Transient errors are
/// retried, after 1 s at first and at most every 30 s, and the token stays until it expires. The
/// token is withdrawn at once when the sign-in is gone, the policy does not allow it, or the
/// authority refuses. Changes of the cache by other programs are noticed within half a second: a
/// sign-in, a sign-out, or a newer token. The token is also withdrawn when the cache cannot be read
/// for 5 seconds, because a sign-out would go unnoticed.
///
/// A refresher withdraws its token when it ends: when it is stopped or dropped, when its runtime
/// shuts down, and when its task panics. After a panic the task restarts after 5 seconds.
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
    credential: SharedTokenCacheCredential,
    post: Arc<Post>,
    counts: RefreshCounts,
    /// Dropping it ends the task after the call in progress, whose reply may hold a new refresh
    /// token.
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

/// Counts the calls of a refresher by outcome. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct RefreshCounts(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl TokenRefresher {
    /// Starts to keep a token fresh. The credential should be one of
    /// [`SharedTokenCacheCredential::builder_for`] this profile.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time, like `tokio::spawn`.
    #[must_use]
    pub fn start(credential: SharedTokenCacheCredential, profile: &Profile) -> Self {
        let (stop, stopped) = oneshot::channel();
        let credential = credential.apart();
        let (post, counts) = (Arc::<Post>::default(), RefreshCounts::default());
        let ending = post::Ending(Arc::clone(&post));
        let task = tokio::spawn(run(credential.clone(), profile.clone(), ending, counts.clone(), stopped));
        Self { credential, post, counts, stop: Some(stop), task: Some(task) }
    }

    /// The current state; never an expired token. The cost is a short lock and a read of the clock.
    #[must_use]
    pub fn state(&self) -> TokenState {
        match self.post.state() {
            TokenState::Valid(token) if schedule::is_expired(&token, self.credential.now()) => {
                TokenState::Withdrawn(Arc::new(schedule::expired()))
            }
            state => state,
        }
    }

    /// Subscribes to changes of the state. Unlike [`Self::state`], the receiver does not compare
    /// with the clock.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<TokenState> {
        self.post.subscribe()
    }

    /// The counts of the calls so far.
    #[must_use]
    pub fn refresh_counts(&self) -> RefreshCounts {
        self.counts.clone()
    }

    /// Withdraws the token, ends the task, and waits for the call in progress.
    pub async fn stop(mut self) {
        self.post.end();
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            // A task that panicked has ended too.
            drop(task.await);
        }
    }
}

impl Drop for TokenRefresher {
    fn drop(&mut self) {
        self.post.end();
    }
}

impl RefreshCounts {
    /// The counts by outcome: `cached`, `refreshed`, or the [kind](Error::kind) of the error.
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
