//! Looks at a cache's metadata, on a thread where they may hang.

use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use crate::credential::SharedTokenCacheCredential;

/// Looks at a credential's caches. One look is under way at the most: a file system that hangs costs one thread.
pub(super) struct Looks {
    credential: SharedTokenCacheCredential,
    current: Option<Look>,
}

struct Look {
    task: JoinHandle<bool>,
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
        if self.current.as_ref().is_some_and(|look| look.overtaken && look.task.is_finished()) {
            self.current = None;
        }
        let credential = &self.credential;
        self.current.get_or_insert_with(|| {
            let credential = credential.clone();
            let task = spawn_blocking(move || credential.cache_may_have_changed());
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
        // A look that panicked is made up for by a call.
        Some(!overtaken && found.unwrap_or(true))
    }

    /// A call has read the cache.
    pub(super) fn overtake(&mut self) {
        if let Some(look) = &mut self.current {
            look.overtaken = true;
        }
    }

    /// For how long a look has been under way.
    pub(super) fn hang_for(&self) -> Option<Duration> {
        let hanging = self.current.as_ref().filter(|look| !look.task.is_finished());
        hanging.map(|look| look.begun.elapsed())
    }
}
