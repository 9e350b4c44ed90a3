//! The work of a refresher.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Interval, MissedTickBehavior};

use super::schedule::{Schedule, Verdict, is_over, verdict};
use super::{Attempts, TokenState};
use crate::access_token::Served;
use crate::credential::{SharedTokenCacheCredential, TokenRequestOptions};
use crate::error::Error;
use crate::policy::Profile;

/// How often the clock and the cache file's metadata are looked at. The clock is asked because timers do not run while a machine
/// sleeps, and files because no way of being told of changes works on all of them.
const TICK: Duration = Duration::from_millis(250);

/// Keeps one token.
pub(super) struct Keeper {
    credential: SharedTokenCacheCredential,
    name: String,
    scopes: Vec<String>,
    request: TokenRequestOptions,
    state: watch::Sender<TokenState>,
    attempts: Attempts,
    schedule: Schedule,
    /// Why the last call had no token.
    error: Option<Arc<Error>>,
}

impl Keeper {
    pub(super) fn new(
        credential: SharedTokenCacheCredential,
        profile: &Profile,
        state: watch::Sender<TokenState>,
        attempts: Attempts,
    ) -> Self {
        let (name, scopes) = (profile.name().to_string(), profile.scopes().to_vec());
        let (request, schedule) = (profile.into(), Schedule::default());
        Self { credential, name, scopes, request, state, attempts, schedule, error: None }
    }

    /// Works until told to stop.
    pub(super) async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.schedule.is_due(self.credential.now()) || self.credential.cache_may_have_changed() {
                let answer = self.ask(&mut ticks).await;
                self.take(answer);
            }
            self.withdraw_if_over();
            tokio::select! {
                _ = ticks.tick() => {}
                _ = &mut stopped => return,
            }
        }
    }

    /// Asks the credential. A call may take longer than the token lives that is there.
    async fn ask(&self, ticks: &mut Interval) -> Result<Served, Error> {
        let mut call = pin!(self.credential.get_token_with(&self.scopes, self.request.clone()));
        loop {
            tokio::select! {
                biased;
                answer = &mut call => return answer,
                _ = ticks.tick() => self.withdraw_if_over(),
            }
        }
    }

    fn take(&mut self, answer: Result<Served, Error>) {
        let now = self.credential.now();
        match answer {
            Ok(Served { access_token, refreshed, .. }) => {
                self.attempts.count(if refreshed { "refreshed" } else { "cached" });
                self.schedule.came(&access_token, now);
                self.error = None;
                let is_new = match &*self.state.borrow() {
                    TokenState::Valid(current) => {
                        (&current.token, current.expires_on) != (&access_token.token, access_token.expires_on)
                    }
                    TokenState::Pending | TokenState::Withdrawn(_) => true,
                };
                if is_new {
                    let seconds = access_token.expires_on.saturating_sub(now);
                    tracing::info!("profile {}: a token that expires in {seconds} s", self.name);
                    self.state.send_replace(TokenState::Valid(Arc::new(access_token)));
                }
            }
            Err(error) => {
                self.attempts.count(error.kind());
                let verdict = verdict(&error);
                self.schedule.failed(verdict, now);
                let error = Arc::new(error);
                self.error = Some(Arc::clone(&error));
                let has_token = matches!(*self.state.borrow(), TokenState::Valid(_));
                match verdict {
                    Verdict::Keep if has_token => {
                        tracing::warn!("profile {}: the token can't be renewed now: {error}", self.name);
                    }
                    Verdict::Keep | Verdict::Withdraw => self.withdraw(error),
                }
            }
        }
    }

    /// Takes a token back that was not renewed in time.
    fn withdraw_if_over(&self) {
        let now = self.credential.now();
        let over = matches!(&*self.state.borrow(), TokenState::Valid(token) if is_over(token, now));
        if over {
            let expired = || Arc::new(Error::Unreachable("the token expired before a new one came".into()));
            self.withdraw(self.error.clone().unwrap_or_else(expired));
        }
    }

    /// Says so once, however often it is tried.
    fn withdraw(&self, error: Arc<Error>) {
        let is_news = match &*self.state.borrow() {
            TokenState::Withdrawn(other) => other.to_string() != error.to_string(),
            TokenState::Pending | TokenState::Valid(_) => true,
        };
        if is_news {
            tracing::warn!("profile {}: there is no token: {error}", self.name);
            self.state.send_replace(TokenState::Withdrawn(error));
        }
    }
}
