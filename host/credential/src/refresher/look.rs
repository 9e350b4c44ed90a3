//! Polls a cache's metadata on a thread, because the file system may hang.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::credential::{SharedTokenCacheCredential, Sights, SingleFlight};

/// The looks in progress in this process, by single flight: credentials with the same place and the
/// same last state share a look, so a hundred profiles of a cache cost one.
static UNDER_WAY: LazyLock<SingleFlight<Sights, bool>> = LazyLock::new(SingleFlight::new);

/// Looks at a credential's caches. At most one look is in progress: a file system that hangs blocks
/// one thread.
pub(super) struct Looks {
    credential: SharedTokenCacheCredential,
    current: Option<Look>,
}

struct Look {
    task: Shared<BoxFuture<'static, bool>>,
    begun: Instant,
    /// A call has read the cache since the look began, so its outcome is out of date.
    overtaken: bool,
}

impl Looks {
    pub(super) fn new(credential: SharedTokenCacheCredential) -> Self {
        Self { credential, current: None }
    }

    /// Begins a look, unless one is in progress.
    pub(super) fn begin(&mut self) {
        if self.current.as_ref().is_some_and(|look| look.overtaken && look.is_over()) {
            self.current = None;
        }
        let credential = &self.credential;
        self.current.get_or_insert_with(|| {
            let task = UNDER_WAY.join_or_start(&credential.sights(), || {
                let credential = credential.clone();
                // The thread starts at once, before the future is polled. A look that panicked
                // counts as a change, so a call follows.
                let look = spawn_blocking(move || credential.cache_may_have_changed());
                look.map(|changed| changed.unwrap_or(true))
            });
            Look { task, begun: Instant::now(), overtaken: false }
        });
    }

    /// Whether a cache may have changed since the last call; `None` if the look takes longer than
    /// `patience`.
    pub(super) async fn changed(&mut self, patience: Duration) -> Option<bool> {
        self.begin();
        let look = self.current.as_mut()?;
        let found = timeout(patience, &mut look.task).await.ok()?;
        let overtaken = look.overtaken;
        self.current = None;
        Some(!overtaken && found)
    }

    /// Notes that a call has read the cache.
    pub(super) fn overtake(&mut self) {
        if let Some(look) = &mut self.current {
            look.overtaken = true;
        }
    }

    /// The time that the current look has taken, if it is not over.
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
