//! Limits the calls that read, seal and parse a document at the same time to the number of
//! processors: more would not be faster, and each holds the document several times. So a hundred
//! profiles that start together need the memory of a few.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// A call that waits longer goes on without a turn: components that compute for long may hold all
/// turns.
const PATIENCE: Duration = Duration::from_secs(1);

/// A reader's turn; dropping it ends the turn.
pub(crate) type ReadTurn = SemaphorePermit<'static>;

static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new(processors)
});

/// Waits for a turn to read a document.
pub(crate) async fn take_read_turn() -> Option<ReadTurn> {
    tokio::time::timeout(PATIENCE, TURNS.acquire()).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_that_is_never_released_delays_others_up_to_a_limit() {
        let all: Vec<_> = std::iter::from_fn(|| TURNS.try_acquire().ok()).collect();
        assert!(!all.is_empty());
        assert!(take_read_turn().await.is_none());
        drop(all);
        assert!(take_read_turn().await.is_some());
    }
}
