//! Looks at a cache's metadata, on a thread where they may hang.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::credential::{Flights, SharedTokenCacheCredential, Sights};

/// The looks that are under way in this process: credentials that would look at the same for the same share one, so that a hundred
/// profiles of a cache cost one look.
static UNDER_WAY: LazyLock<Flights<Sights, bool>> = LazyLock::new(Flights::new);

/// Looks at a credential's caches. One look is under way at the most: a file system that hangs costs one thread.
pub(super) struct Looks {
    credential: SharedTokenCacheCredential,
    current: Option<Look>,
}

struct Look {
    task: Shared<BoxFuture<'static, bool>>,
    begun: Instant,
    /// A call has read the cache since the look began, so what the look finds is old.
    overtaken: bool,
}

impl Looks {
    pub(super) fn new(credential: SharedTokenCacheCredential) -> Self {
        Self { credential, current: None }
    }

    /// Begins a look, unless one is under way.
    pub(super) fn begin(&mut self) {
        if self.current.as_ref().is_some_and(|look| look.overtaken && look.is_over()) {
            self.current = None;
        }
        let credential = &self.credential;
        self.current.get_or_insert_with(|| {
            let task = UNDER_WAY.board(&credential.sights(), || {
                let credential = credential.clone();
                // It begins at once, whether or not it is waited for. One that panicked is made up for by a call.
                let look = spawn_blocking(move || credential.cache_may_have_changed());
                look.map(|changed| changed.unwrap_or(true))
            });
            Look { task, begun: Instant::now(), overtaken: false }
        });
    }

    /// Whether a cache may have changed since the last call; none when that is not known within `patience`.
    pub(super) async fn changed(&mut self, patience: Duration) -> Option<bool> {
        self.begin();
        let look = self.current.as_mut()?;
        let found = timeout(patience, &mut look.task).await.ok()?;
        let overtaken = look.overtaken;
        self.current = None;
        Some(!overtaken && found)
    }

    /// A call has read the cache.
    pub(super) fn overtake(&mut self) {
        if let Some(look) = &mut self.current {
            look.overtaken = true;
        }
    }

    /// For how long a look has been under way.
    pub(super) fn hang_for(&self) -> Option<Duration> {
        let hanging = self.current.as_ref().filter(|look| !look.is_over());
        hanging.map(|look| look.begun.elapsed())
    }
}

impl Look {
    fn is_over(&self) -> bool {
        self.task.clone().now_or_never().is_some()
    }
}
