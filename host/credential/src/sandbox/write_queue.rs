//! A fair queue for writers within this process. The lock file only excludes other processes; it is
//! polled, so under contention some writers would starve.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

/// A writer that waits longer goes on without a turn: turns give fairness, and the lock file gives
/// exclusion.
const PATIENCE: Duration = Duration::from_secs(5);

/// A writer's turn; dropping it ends the turn.
pub(crate) type Turn = OwnedMutexGuard<()>;

/// Waits for a turn to write a file.
pub(crate) async fn take_turn(path: &Path) -> Option<Turn> {
    tokio::time::timeout(PATIENCE, queue(path).lock_owned()).await.ok()
}

fn queue(path: &Path) -> Arc<Queue<()>> {
    static QUEUES: Mutex<Option<HashMap<PathBuf, Weak<Queue<()>>>>> = Mutex::new(None);
    let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    let queues = queues.get_or_insert_default();
    if let Some(queue) = queues.get(path).and_then(Weak::upgrade) {
        return queue;
    }
    queues.retain(|_, queue| queue.strong_count() > 0);
    let queue = Arc::new(Queue::new(()));
    queues.insert(path.to_owned(), Arc::downgrade(&queue));
    queue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_has_one_turn_at_a_time_and_another_file_its_own() {
        let path = Path::new("/made-up/cache");
        let first = take_turn(path).await.unwrap();
        assert!(queue(path).try_lock().is_err());
        assert!(queue(Path::new("/made-up/other")).try_lock().is_ok());
        drop(first);
        assert!(queue(path).try_lock().is_ok());
    }
}
