//! The task of a refresher.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio::time::{Interval, MissedTickBehavior};

use super::look::Looks;
use super::post::{Ending, Post};
use super::schedule::{Schedule, Verdict, expired, is_expired, verdict};
use super::{RefreshCounts, TokenState};
use crate::access_token::{AccessToken, IssuedToken};
use crate::credential::SharedTokenCacheCredential;
use crate::error::{Error, UnavailableReason};
use crate::options::TokenRequestOptions;
use shared_token_cache_policy::Profile;

/// The interval at which the clock and the cache file's metadata are polled. The clock is polled
/// because timers stop while a machine sleeps; files are polled because no change notification
/// works on all file systems.
const TICK: Duration = Duration::from_millis(250);

/// The token is withdrawn when the cache cannot be read for this long: a sign-out would go
/// unnoticed. With a shorter time a busy disk would cost the token; with a longer one a program
/// that exhausts a resource would keep a revoked token alive.
const BLIND: Duration = Duration::from_secs(5);

/// The pause before a restart after a panic.
const PAUSE: Duration = Duration::from_secs(5);

/// Keeps one token fresh until stopped. After a panic the token is withdrawn and the task restarts.
pub(super) async fn run(
    credential: SharedTokenCacheCredential,
    profile: Profile,
    ending: Ending,
    counts: RefreshCounts,
    mut stopped: oneshot::Receiver<()>,
) {
    loop {
        let worker = Worker::new(credential.clone(), &profile, Arc::clone(&ending.0), counts.clone());
        if AssertUnwindSafe(worker.run(&mut stopped)).catch_unwind().await.is_ok() {
            return;
        }
        let why = "the refresher of the token panicked, and restarts soon";
        tracing::error!("profile {}: {why}", profile.name());
        ending.0.put(TokenState::Withdrawn(Arc::new(Error::Unreachable(why.into()))));
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = &mut stopped => return,
        }
    }
}

/// The state of one profile's task.
struct Worker {
    credential: SharedTokenCacheCredential,
    name: String,
    scopes: Vec<String>,
    request: TokenRequestOptions,
    post: Arc<Post>,
    counts: RefreshCounts,
    schedule: Schedule,
    looks: Looks,
    /// The time since which calls fail because the cache cannot be read.
    unreadable: Option<Instant>,
    /// The error of the last call, if it had no token.
    error: Option<Arc<Error>>,
}

impl Worker {
    fn new(credential: SharedTokenCacheCredential, profile: &Profile, post: Arc<Post>, counts: RefreshCounts) -> Self {
        let (name, scopes) = (profile.name().to_string(), profile.scopes().to_vec());
        let (request, schedule) = (profile.into(), Schedule::default());
        let looks = Looks::new(credential.clone());
        Self { credential, name, scopes, request, post, counts, schedule, looks, unreadable: None, error: None }
    }

    /// Runs until stopped.
    async fn run(mut self, stopped: &mut oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // While a look hangs, a call would hang too.
            if let Some(changed) = self.looks.changed(TICK).await
                && (changed && !self.stays() || self.schedule.is_due(self.credential.now()))
            {
                let answer = self.ask(&mut ticks).await;
                self.looks.overtake();
                self.rest(&answer);
                self.take(answer);
            }
            self.withdraw_if_expired();
            tokio::select! {
                _ = ticks.tick() => {}
                _ = &mut *stopped => return,
            }
        }
    }

    /// Whether the current token is unaffected by the cache's change.
    fn stays(&self) -> bool {
        matches!(self.post.state(), TokenState::Valid(_)) && self.credential.only_other_accounts_changed()
    }

    /// Calls the credential. The current token may expire during the call, so expiry is checked
    /// meanwhile.
    async fn ask(&mut self, ticks: &mut Interval) -> Result<IssuedToken, Error> {
        let (credential, scopes) = (self.credential.clone(), self.scopes.clone());
        let mut call = pin!(credential.get_token_with(&scopes, self.request.clone()));
        loop {
            tokio::select! {
                biased;
                answer = &mut call => return answer,
                _ = ticks.tick() => {
                    self.looks.overtake();
                    self.looks.begin();
                    self.withdraw_if_expired();
                }
            }
        }
    }

    /// Drops the document until the next call, which may be in an hour. The instance is kept if it
    /// has state besides the document: a new token that could not be written, or the time of a
    /// renewal that failed.
    fn rest(&self, answer: &Result<IssuedToken, Error>) {
        let now = self.credential.now();
        let is_due = |token: &AccessToken| token.refresh_on.is_some_and(|refresh_on| refresh_on <= now);
        if matches!(answer, Ok(served) if !served.refreshed && !is_due(&served.access_token)) {
            self.credential.drop_idle_instances();
        }
    }

    fn take(&mut self, answer: Result<IssuedToken, Error>) {
        let now = self.credential.now();
        let is_unreadable = matches!(
            &answer,
            Err(Error::CredentialUnavailable(why)) if why.reason == UnavailableReason::CacheUnavailable
        );
        self.unreadable = is_unreadable.then(|| self.unreadable.unwrap_or_else(Instant::now));
        match answer {
            Ok(IssuedToken { access_token, refreshed, .. }) => {
                self.counts.count(if refreshed { "refreshed" } else { "cached" });
                self.schedule.token_received(&access_token, now);
                self.error = None;
                let is_new = match &self.post.state() {
                    TokenState::Valid(current) => {
                        (&current.token, current.expires_on) != (&access_token.token, access_token.expires_on)
                    }
                    TokenState::Pending | TokenState::Withdrawn(_) => true,
                };
                if is_new {
                    let seconds = access_token.expires_on.saturating_sub(now);
                    tracing::info!("profile {}: a token that expires in {seconds} s", self.name);
                    self.post.put(TokenState::Valid(Arc::new(access_token)));
                }
            }
            Err(error) => {
                self.counts.count(error.kind());
                let verdict = verdict(&error);
                self.schedule.failed(verdict, error.retry_after(), now);
                let error = Arc::new(error);
                self.error = Some(Arc::clone(&error));
                let has_token = matches!(self.post.state(), TokenState::Valid(_));
                match verdict {
                    Verdict::Keep if has_token => {
                        tracing::warn!("profile {}: cannot renew the token now: {error}", self.name);
                    }
                    Verdict::Keep | Verdict::Withdraw => self.withdraw(error),
                }
            }
        }
    }

    /// Withdraws a token that was not renewed in time, or whose cache cannot be read.
    fn withdraw_if_expired(&self) {
        let now = self.credential.now();
        if matches!(&self.post.state(), TokenState::Valid(token) if is_expired(token, now)) {
            self.withdraw(self.error.clone().unwrap_or_else(|| Arc::new(expired())));
        }
        let blind = self.looks.hang_for().max(self.unreadable.map(|since| since.elapsed()));
        if blind.is_some_and(|time| time >= BLIND) {
            let why = format!("the cache was unreadable for {} s, so a sign-out could go unnoticed", BLIND.as_secs());
            let hangs = || Arc::new(Error::cache_unavailable(why));
            self.withdraw(self.error.clone().filter(|_| self.unreadable.is_some()).unwrap_or_else(hangs));
        }
    }

    /// Withdraws the token. Equal errors in a row are logged once.
    fn withdraw(&self, error: Arc<Error>) {
        let is_news = match &self.post.state() {
            TokenState::Withdrawn(other) => other.to_string() != error.to_string(),
            TokenState::Pending | TokenState::Valid(_) => true,
        };
        if is_news {
            tracing::warn!("profile {}: there is no token: {error}", self.name);
            self.post.put(TokenState::Withdrawn(error));
        }
    }
}
