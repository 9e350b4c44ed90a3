//! Keeps a token fresh for others: a proxy, an agent.

mod keep;
mod look;
mod post;
mod schedule;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::access_token::AccessToken;
use crate::credential::SharedTokenCacheCredential;
use crate::error::Error;
use keep::keep;
use post::Post;
use shared_token_cache_policy::Profile;

/// What there is of a token that is kept fresh.
#[derive(Debug, Clone)]
pub enum TokenState {
    /// The first answer is on its way.
    Pending,
    /// A token that may be sent.
    Valid(Arc<AccessToken>),
    /// There is none: it could not be renewed before it expired, its sign-in is gone, or the refresher has ended. A reader that
    /// holds an older one must forget it.
    Withdrawn(Arc<Error>),
}

/// Keeps the token of a profile fresh.
///
/// It is renewed 5 minutes before it expires, or when the authority wants it (`refresh_on`); one that lives no longer than 5 minutes at
/// half its life. Errors that may pass are tried again, after 1 s at first and 30 s at last, and the token stays as long as it lives.
/// When the sign-in is gone, the policy does not allow it, or the authority refuses, it is withdrawn at once. What other
/// programs change about the cache is noticed within half a second, be it a sign-in, a sign-out, or a newer token. A cache that
/// cannot be looked at for 5 seconds withdraws the token too, because a sign-out would go unnoticed.
///
/// A refresher that ends takes its token back: when it is stopped or dropped, when its runtime shuts down, and when its work panics.
/// After a panic the work begins anew 5 seconds later.
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
    attempts: Attempts,
    /// The work ends when this is dropped, after the call that is under way: an answer may hold a new refresh token.
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
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
        let (post, attempts) = (Arc::<Post>::default(), Attempts::default());
        let ending = post::Ending(Arc::clone(&post));
        let task = tokio::spawn(keep(credential.clone(), profile.clone(), ending, attempts.clone(), stopped));
        Self { credential, post, attempts, stop: Some(stop), task: Some(task) }
    }

    /// What there is now; never a token that has expired. It costs no more than a short lock and a look at the clock.
    #[must_use]
    pub fn state(&self) -> TokenState {
        match self.post.state() {
            TokenState::Valid(token) if schedule::is_over(&token, self.credential.now()) => {
                TokenState::Withdrawn(Arc::new(schedule::expired()))
            }
            state => state,
        }
    }

    /// Hears of each change, and sees what there was after the last one. [`Self::state`] compares with the clock besides.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<TokenState> {
        self.post.subscribe()
    }

    /// How often the credential was asked.
    #[must_use]
    pub fn attempts(&self) -> Attempts {
        self.attempts.clone()
    }

    /// Takes the token back, ends the work, and waits for a call that is under way.
    pub async fn stop(mut self) {
        self.post.end();
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            // A task that panicked has ended as well.
            drop(task.await);
        }
    }
}

impl Drop for TokenRefresher {
    fn drop(&mut self) {
        self.post.end();
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
