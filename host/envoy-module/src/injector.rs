//! The token that requests get.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use shared_token_cache::policy::Profile;
use shared_token_cache::{SharedTokenCacheCredential, TokenRefresher, TokenState};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// How long a new configuration waits for its first token. One that is cached is there in some milliseconds, and then a reload refuses no
/// request. Envoy's main thread waits, so it must not be for long: requests are served meanwhile, under the old configuration.
const FIRST_TOKEN: Duration = Duration::from_millis(250);

/// Until a refresher that failed, by a panic, is replaced.
const PAUSE: Duration = Duration::from_secs(5);

/// Keeps a token fresh as long as it exists, and has it ready for requests. Dropping it waits for nothing.
pub(crate) struct Injector {
    current: Arc<Current>,
    refreshing: JoinHandle<()>,
}

impl Injector {
    /// Starts to get tokens of the profile, on the runtime's thread, and waits a moment for the first.
    pub(crate) fn start(runtime: &Handle, credential: SharedTokenCacheCredential, profile: Profile) -> Self {
        let current = Arc::new(Current::default());
        let (answered, answer) = mpsc::sync_channel(1);
        let refreshing = runtime.spawn(refresh(credential, profile, Arc::clone(&current), answered));
        // Without an answer by then, requests are refused until there is one.
        let _ = answer.recv_timeout(FIRST_TOKEN);
        Self { current, refreshing }
    }

    pub(crate) fn current(&self) -> &Current {
        &self.current
    }
}

impl Drop for Injector {
    fn drop(&mut self) {
        self.refreshing.abort();
    }
}

/// What is current changes here, on the runtime's thread, and is looked at by requests, on Envoy's.
#[derive(Default)]
pub(crate) struct Current {
    header: RwLock<Option<Arc<Header>>>,
    /// New tokens that no counter has yet.
    uncounted: AtomicU64,
}

impl Current {
    /// The header that a request gets at this time, in seconds since the Unix epoch. None where there is no token, or one that
    /// expired: a laptop that slept wakes up with one.
    pub(crate) fn header(&self, now: u64) -> Option<Arc<Header>> {
        let header = self.header.read().unwrap_or_else(PoisonError::into_inner).clone();
        header.filter(|header| now < header.expires_on)
    }

    /// How many new tokens there were since this was asked last, by whomever: configurations that share a token share its counter.
    pub(crate) fn take_uncounted(&self) -> u64 {
        // The swap would have the threads of all workers take the value from each other for every request.
        if self.uncounted.load(Ordering::Relaxed) == 0 { 0 } else { self.uncounted.swap(0, Ordering::Relaxed) }
    }

    fn set(&self, header: Option<Header>) {
        let mut current = self.header.write().unwrap_or_else(PoisonError::into_inner);
        match (&*current, &header) {
            (Some(old), Some(new)) if old.value == new.value => {}
            (_, Some(_)) => drop(self.uncounted.fetch_add(1, Ordering::Relaxed)),
            (_, None) => {}
        }
        *current = header.map(Arc::new);
    }
}

/// The value of an `Authorization` header.
pub(crate) struct Header {
    value: Zeroizing<String>,
    expires_on: u64,
}

impl Header {
    /// None where the token can't be the value of a header (RFC 6750, section 2.1): a line break would end it, and Envoy sends what it gets.
    fn bearer(token: &str, expires_on: u64) -> Option<Self> {
        let good = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let value = || Zeroizing::new(["Bearer ", token].concat());
        good.then(|| Self { value: value(), expires_on })
    }

    /// The value itself.
    pub(crate) fn expose(&self) -> &str {
        &self.value
    }
}

async fn refresh(
    credential: SharedTokenCacheCredential,
    profile: Profile,
    current: Arc<Current>,
    answered: SyncSender<()>,
) {
    let current = WithdrawnAtTheEnd(current);
    loop {
        let refresher = TokenRefresher::start(credential.clone(), &profile);
        follow(refresher.subscribe(), &current.0, &answered).await;
        current.0.set(None);
        tracing::error!(
            profile = profile.name().as_str(),
            "the token is no longer refreshed; this is tried again soon"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// Has requests get the token that there is, until there is nobody to tell of another.
async fn follow(mut states: watch::Receiver<TokenState>, current: &Current, answered: &SyncSender<()>) {
    loop {
        let state = states.borrow_and_update().clone();
        current.set(header(&state));
        if !matches!(state, TokenState::Pending) {
            // Only the first is waited for.
            let _ = answered.try_send(());
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

fn header(state: &TokenState) -> Option<Header> {
    let TokenState::Valid(token) = state else { return None };
    let header = Header::bearer(token.token.expose(), token.expires_on);
    if header.is_none() {
        tracing::error!("the token can't be put into a header");
    }
    header
}

/// However the refreshing ends, a token that nobody refreshes any more is not used any longer.
struct WithdrawnAtTheEnd(Arc<Current>);

impl Drop for WithdrawnAtTheEnd {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

#[cfg(test)]
pub(crate) fn current(token: &str, expires_on: u64) -> Current {
    let current = Current::default();
    current.set(Header::bearer(token, expires_on));
    current
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(current: &Current, now: u64) -> Option<String> {
        current.header(now).map(|header| header.expose().to_owned())
    }

    #[test]
    fn requests_get_a_token_until_it_expires_or_is_withdrawn() {
        let current = Current::default();
        assert_eq!(value(&current, 0), None);
        current.set(Header::bearer("a", 100));
        assert_eq!(value(&current, 99).as_deref(), Some("Bearer a"));
        assert_eq!(value(&current, 100), None);
        current.set(Header::bearer("b", 200));
        assert_eq!(value(&current, 100).as_deref(), Some("Bearer b"));
        current.set(None);
        assert_eq!(value(&current, 100), None);
    }

    #[test]
    fn a_new_token_is_counted_once() {
        let current = Current::default();
        for token in ["a", "a", "b"] {
            current.set(Header::bearer(token, 1));
        }
        assert_eq!((current.take_uncounted(), current.take_uncounted()), (2, 0));
        current.set(None);
        assert_eq!(current.take_uncounted(), 0);
        current.set(Header::bearer("b", 1));
        assert_eq!(current.take_uncounted(), 1, "a token after none is a new one");
    }

    #[test]
    fn a_token_that_would_end_the_header_is_none() {
        for token in ["", " ", "a b", "a\r\nx: y", "a\0", "a\n", "ä"] {
            assert!(Header::bearer(token, 1).is_none(), "{token:?}");
        }
        assert!(Header::bearer("eyJ0.eyJh._-~+/==", 1).is_some());
    }

    #[test]
    fn a_token_is_withdrawn_however_its_refreshing_ends() {
        let current = Arc::new(current("a", 1));
        let withdraw = WithdrawnAtTheEnd(Arc::clone(&current));
        let task = std::thread::spawn(move || {
            let _withdraw = withdraw;
            panic!("on purpose");
        });
        assert!(task.join().is_err());
        assert!(current.header(0).is_none());
    }
}
