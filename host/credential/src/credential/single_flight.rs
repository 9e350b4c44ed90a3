//! Single flight: equal calls at the same time share one result.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};

/// The calls in progress. A call is dropped with its last waiter.
pub(crate) struct SingleFlight<K, V: Clone>(Mutex<HashMap<K, WeakShared<BoxFuture<'static, V>>>>);

/// With more entries, those of calls that are over are removed.
const MOST_ENTRIES: usize = 64;

impl<K: Clone + Eq + Hash, V: Clone + Send + 'static> SingleFlight<K, V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// The result for `key`: of the call in progress, or of a new one.
    pub(super) async fn join<F>(&self, key: &K, start: impl FnOnce() -> F) -> V
    where
        F: Future<Output = V> + Send + 'static,
    {
        let flight = self.join_or_start(key, start);
        let answer = flight.clone().await;
        // Only callers that joined before the result arrived share it. Later callers start a new
        // call.
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = match flights.get(key).map(WeakShared::upgrade) {
            Some(Some(current)) => current.ptr_eq(&flight),
            Some(None) => true,
            None => false,
        };
        if over {
            flights.remove(key);
        }
        answer
    }

    /// The future of the result. It makes progress only while it is awaited; [`Self::join`] awaits
    /// it.
    pub(crate) fn join_or_start<F>(&self, key: &K, start: impl FnOnce() -> F) -> Shared<BoxFuture<'static, V>>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(key).and_then(WeakShared::upgrade)
            && flight.peek().is_none()
        {
            return flight;
        }
        // Calls that are awaited without `join` leave an entry each.
        if flights.len() >= MOST_ENTRIES {
            flights.retain(|_, flight| flight.upgrade().is_some());
        }
        let flight = start().boxed().shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key.clone(), weak);
        }
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    async fn slow(count: Arc<AtomicUsize>) -> usize {
        tokio::time::sleep(Duration::from_millis(30)).await;
        count.fetch_add(1, Ordering::SeqCst)
    }

    #[tokio::test]
    async fn callers_at_the_same_time_share_an_answer_and_later_ones_do_not() {
        let flights = Arc::new(SingleFlight::new());
        let count = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let (flights, count) = (Arc::clone(&flights), Arc::clone(&count));
                tokio::spawn(async move { flights.join(&"key", || slow(count)).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 0);
        }
        assert_eq!(flights.join(&"key", || slow(Arc::clone(&count))).await, 1);
        assert!(flights.0.lock().unwrap().is_empty(), "nothing is left behind");
    }

    #[tokio::test]
    async fn flights_that_are_over_leave_few_entries() {
        let flights = SingleFlight::new();
        for key in 0..10 * MOST_ENTRIES {
            flights.join_or_start(&key, || async { 0 }).await;
        }
        assert!(flights.0.lock().unwrap().len() <= MOST_ENTRIES);
    }

    #[tokio::test]
    async fn a_caller_that_leaves_does_not_cancel_the_call_of_others() {
        let flights = Arc::new(SingleFlight::new());
        let count = Arc::new(AtomicUsize::new(0));
        let first = {
            let (flights, count) = (Arc::clone(&flights), Arc::clone(&count));
            tokio::spawn(async move { flights.join(&"key", || slow(count)).await })
        };
        tokio::time::sleep(Duration::from_millis(5)).await;
        let second = {
            let (flights, count) = (Arc::clone(&flights), Arc::clone(&count));
            tokio::spawn(async move { flights.join(&"key", || slow(count)).await })
        };
        tokio::time::sleep(Duration::from_millis(5)).await;
        first.abort();
        assert_eq!(second.await.unwrap(), 0);
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}
