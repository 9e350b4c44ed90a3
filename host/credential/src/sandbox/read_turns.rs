//! As few calls as there are processors read, seal and parse a document at a time: more would be no faster, and each has the document
//! several times. A hundred profiles that start together so need the memory of a few.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// A call that waits longer goes on without a turn: a component that computes for long may have them all.
const PATIENCE: Duration = Duration::from_secs(1);

/// A reader's turn; dropping it ends the turn.
pub(crate) type ReadTurn = SemaphorePermit<'static>;

static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new(processors)
});

/// Waits for a turn at reading a document.
pub(crate) async fn take_read_turn() -> Option<ReadTurn> {
    tokio::time::timeout(PATIENCE, TURNS.acquire()).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_that_is_not_given_back_delays_nobody_for_long() {
        let all: Vec<_> = std::iter::from_fn(|| TURNS.try_acquire().ok()).collect();
        assert!(!all.is_empty());
        assert!(take_read_turn().await.is_none());
        drop(all);
        assert!(take_read_turn().await.is_some());
    }
}
