//! Limits on connections, in total and per user.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;

use crate::connection::Usage;

/// The limit on connections, if the limit of open files allows it. A proxy has one or a few.
const MOST: usize = 256;

/// The divisor for the connections of one user: half of all, so that no user can block all others.
const OF_ONE_USER: usize = 2;

/// The divisor for the share of open files that connections may use. The others are for caches,
/// token files and the authority.
const SHARE: u64 = 4;

/// Counts connections by user. Clones share the counts.
#[derive(Debug, Clone)]
pub(crate) struct Crowd {
    most: usize,
    users: Arc<Mutex<BTreeMap<u32, VecDeque<Arc<Slot>>>>>,
    /// The number of open connections, including those whose place was given to another one.
    open: Arc<AtomicUsize>,
}

/// The place of one connection, freed when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    user: u32,
    slot: Arc<Slot>,
    crowd: Crowd,
}

/// The state that a connection and the crowd share.
#[derive(Debug, Default)]
struct Slot {
    usage: Usage,
    is_given_up: AtomicBool,
    waker: AtomicWaker,
}

/// The result of a request for a place.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A place was free.
    Free(Place),
    /// The oldest idle connection is closed for it: of this user, or of the user with the most.
    InPlaceOf(u32, Place),
    /// All connections are in use.
    Full,
}

impl Default for Crowd {
    fn default() -> Self {
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
        Self::of(usize::try_from(files / SHARE).unwrap_or(MOST).clamp(OF_ONE_USER, MOST))
    }
}

impl Crowd {
    fn of(most: usize) -> Self {
        Self { most, users: Arc::default(), open: Arc::default() }
    }

    /// Takes a place for a connection of this user. Without a free place, the oldest connection
    /// that has no stream of tokens is closed: a client with idle connections blocks no other
    /// client.
    pub(crate) fn enter(&self, user: u32) -> Entry {
        let mut users = self.users();
        let all: usize = users.values().map(VecDeque::len).sum();
        let of_user = users.get(&user).map_or(0, VecDeque::len);
        let crowded = if of_user >= self.most / OF_ONE_USER {
            Some(user)
        } else if all >= self.most {
            let idle = users.iter().filter(|(_, slots)| slots.iter().any(|slot| !slot.usage.is_in_use()));
            let Some((most, _)) = idle.max_by_key(|(_, slots)| slots.len()) else { return Entry::Full };
            Some(*most)
        } else {
            None
        };
        if let Some(slots) = crowded.and_then(|crowded| users.get_mut(&crowded)) {
            let idle = slots.iter().position(|slot| !slot.usage.is_in_use());
            let Some(idle) = idle.and_then(|idle| slots.remove(idle)) else { return Entry::Full };
            idle.is_given_up.store(true, Ordering::SeqCst);
            idle.waker.wake();
        }
        let slot = Arc::new(Slot::default());
        users.entry(user).or_default().push_back(Arc::clone(&slot));
        self.open.fetch_add(1, Ordering::SeqCst);
        let place = Place { user, slot, crowd: self.clone() };
        match crowded {
            Some(crowded) => Entry::InPlaceOf(crowded, place),
            None => Entry::Free(place),
        }
    }

    /// Waits briefly while connections that lost their places are still open, because they still
    /// use file descriptors.
    pub(crate) async fn wait_for_closing(&self) {
        for _ in 0..MOST {
            if self.open.load(Ordering::SeqCst) <= self.most {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn users(&self) -> MutexGuard<'_, BTreeMap<u32, VecDeque<Arc<Slot>>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The streams of the connection.
    pub(crate) fn usage(&self) -> &Usage {
        &self.slot.usage
    }

    /// Waits until the place is given to another connection.
    pub(crate) fn poll_given_up(&self, context: &Context<'_>) -> Poll<()> {
        self.slot.waker.register(context.waker());
        if self.slot.is_given_up.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.open.fetch_sub(1, Ordering::SeqCst);
        let mut users = self.crowd.users();
        if let Some(slots) = users.get_mut(&self.user) {
            slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
        }
        users.retain(|_, slots| !slots.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::InUse;

    fn in_use(entry: Entry) -> (Place, InUse) {
        let (Entry::Free(place) | Entry::InPlaceOf(_, place)) = entry else { panic!("it is full") };
        let in_use = place.usage().begin();
        (place, in_use)
    }

    fn is_given_up(place: &Place) -> bool {
        place.poll_given_up(&Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[test]
    fn a_user_has_half_of_the_places_and_each_connection_that_ends_frees_one() {
        let crowd = Crowd::of(4);
        let (first, second) = (in_use(crowd.enter(1)), in_use(crowd.enter(1)));
        assert!(matches!(crowd.enter(1), Entry::Full));
        let others = (in_use(crowd.enter(2)), in_use(crowd.enter(3)));
        assert!(matches!(crowd.enter(4), Entry::Full));
        drop(first);
        let fourth = in_use(crowd.enter(4));
        assert!(matches!(crowd.enter(1), Entry::Full), "all places are taken");
        drop(fourth);
        assert!(matches!(crowd.enter(1), Entry::Free(_)));
        drop((second, others));
        assert!(crowd.users().is_empty());
    }

    #[test]
    fn the_oldest_connection_without_a_stream_makes_room_for_a_new_one() {
        let crowd = Crowd::of(4);
        let used = in_use(crowd.enter(1));
        let Entry::Free(idle) = crowd.enter(1) else { panic!("there is room") };
        assert!(!is_given_up(&idle));
        let Entry::InPlaceOf(1, newer) = crowd.enter(1) else { panic!("the idle one makes room") };
        assert!(is_given_up(&idle) && !is_given_up(&used.0) && !is_given_up(&newer));
        drop(idle);
        assert_eq!(crowd.users()[&1].len(), 2, "the place was counted once");
        let others = (in_use(crowd.enter(2)), in_use(crowd.enter(3)));
        let fourth = crowd.enter(4);
        assert!(matches!(fourth, Entry::InPlaceOf(1, _)) && is_given_up(&newer), "{fourth:?}");
        drop(others);
    }
}
