//! The token for requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use shared_token_cache::policy::Profile;
use shared_token_cache::{SharedTokenCacheCredential, TokenRefresher, TokenState};
use tokio::runtime::Handle;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// How long a new configuration waits for its first token. A cached token arrives within
/// milliseconds, and then a reload refuses no request. The wait is short because it blocks Envoy's
/// main thread; requests are served meanwhile, under the old configuration.
const FIRST_TOKEN: Duration = Duration::from_millis(250);

/// Refreshes a token while it exists, and holds it for requests. Dropping it does not block.
pub(crate) struct Injector {
    current: Arc<Current>,
    _refresher: TokenRefresher,
}

impl Injector {
    /// Starts the refresher of the profile's token on the runtime's thread, and waits up to
    /// [`FIRST_TOKEN`] for the first token.
    pub(crate) fn start(runtime: &Handle, credential: SharedTokenCacheCredential, profile: &Profile) -> Self {
        let refresher = {
            let _runtime = runtime.enter();
            TokenRefresher::start(credential, profile)
        };
        let current = Arc::new(Current::of(refresher.subscribe()));
        let (answered, answer) = mpsc::sync_channel(1);
        runtime.spawn(follow(Arc::clone(&current), answered));
        // After a timeout, requests are refused until a token arrives.
        let _ = answer.recv_timeout(FIRST_TOKEN);
        Self { current, _refresher: refresher }
    }

    pub(crate) fn current(&self) -> &Current {
        &self.current
    }
}

/// The current token, written by the runtime's thread and read by Envoy's threads.
pub(crate) struct Current {
    states: watch::Receiver<TokenState>,
    header: RwLock<Option<Arc<Header>>>,
    /// New tokens that are not counted yet.
    uncounted: AtomicU64,
}

impl Current {
    fn of(states: watch::Receiver<TokenState>) -> Self {
        Self { states, header: RwLock::default(), uncounted: AtomicU64::new(0) }
    }

    /// The header for a request at this time, in seconds since the Unix epoch. `None` without a
    /// token, or with an expired one, such as after a laptop's sleep. The refresher's state is
    /// checked too, in case the runtime no longer runs.
    pub(crate) fn header(&self, now: u64) -> Option<Arc<Header>> {
        if matches!(*self.states.borrow(), TokenState::Withdrawn(_)) {
            return None;
        }
        let header = self.header.read().unwrap_or_else(PoisonError::into_inner).clone();
        header.filter(|header| now < header.expires_on)
    }

    /// The number of new tokens since the last call. Configurations that share a token share this
    /// number too.
    pub(crate) fn take_uncounted(&self) -> u64 {
        // An unconditional swap would move the cache line between the worker threads at every
        // request.
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
    /// `None` if the token cannot be a header's value (RFC 6750, section 2.1): Envoy does not check
    /// the value, and a line break would end it.
    fn bearer(token: &str, expires_on: u64) -> Option<Self> {
        let good = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let value = || Zeroizing::new(["Bearer ", token].concat());
        good.then(|| Self { value: value(), expires_on })
    }

    /// The header's value.
    pub(crate) fn expose(&self) -> &str {
        &self.value
    }
}

/// Copies the refresher's tokens into `current`, until the refresher ends.
async fn follow(current: Arc<Current>, answered: SyncSender<()>) {
    let mut states = current.states.clone();
    loop {
        let state = states.borrow_and_update().clone();
        current.set(header(&state));
        if !matches!(state, TokenState::Pending) {
            // Only the first one is awaited.
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
        tracing::error!("cannot put the token into a header");
    }
    header
}

#[cfg(test)]
pub(crate) fn current(token: &str, expires_on: u64) -> Current {
    let current = tests::Refresher::default().current();
    current.set(Header::bearer(token, expires_on));
    current
}

#[cfg(test)]
mod tests {
    use shared_token_cache::Error;

    use super::*;

    /// A fake of a refresher.
    pub(super) struct Refresher(watch::Sender<TokenState>);

    impl Default for Refresher {
        fn default() -> Self {
            Self(watch::Sender::new(TokenState::Pending))
        }
    }

    impl Refresher {
        pub(super) fn current(&self) -> Current {
            Current::of(self.0.subscribe())
        }

        fn withdraw(&self) {
            self.0.send_replace(TokenState::Withdrawn(Arc::new(Error::Unreachable("it has ended".into()))));
        }
    }

    fn value(current: &Current, now: u64) -> Option<String> {
        current.header(now).map(|header| header.expose().to_owned())
    }

    #[test]
    fn requests_get_a_token_until_it_expires_or_is_withdrawn() {
        let current = Refresher::default().current();
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
        let current = Refresher::default().current();
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
    fn a_token_that_is_no_valid_header_value_is_not_used() {
        for token in ["", " ", "a b", "a\r\nx: y", "a\0", "a\n", "ä"] {
            assert!(Header::bearer(token, 1).is_none(), "{token:?}");
        }
        assert!(Header::bearer("eyJ0.eyJh._-~+/==", 1).is_some());
    }

    #[test]
    fn a_withdrawn_token_is_not_used_even_without_the_runtime() {
        let refresher = Refresher::default();
        let current = refresher.current();
        current.set(Header::bearer("a", 100));
        assert_eq!(value(&current, 0).as_deref(), Some("Bearer a"));
        refresher.withdraw();
        drop(refresher);
        assert_eq!(value(&current, 0), None);
    }
}
