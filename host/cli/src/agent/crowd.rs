//! A limit on the connections of a front. A new one replaces the oldest whose request is
//! incomplete.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::AbortHandle;

/// The share of connections for one address. On loopback all programs have the same address, so the
/// rest remains for other machines.
const OF_ONE: (usize, usize) = (3, 4);

/// The open connections, oldest first.
pub(super) struct Crowd {
    pub(super) most: usize,
    open: VecDeque<Open>,
}

struct Open {
    peer: IpAddr,
    task: AbortHandle,
    /// Whether its request is complete.
    is_complete: Arc<AtomicBool>,
}

/// The result of a request for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Free,
    /// Another connection was closed for it.
    InPlaceOfAnother,
    /// No connection can be closed, because their requests are complete.
    Full,
}

impl Crowd {
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: VecDeque::new() }
    }

    /// Makes room for a connection from this address. If there is none, closes the oldest
    /// connection without a complete request: of this address if it has reached its share, else of
    /// the address with the most.
    pub(super) fn make_room(&mut self, peer: IpAddr) -> Entry {
        self.open.retain(|open| !open.task.is_finished());
        let count = |peer: IpAddr| self.open.iter().filter(|open| open.peer == peer).count();
        let crowded = if count(peer) >= (self.most * OF_ONE.0 / OF_ONE.1).max(1) {
            peer
        } else if self.open.len() >= self.most {
            let waiting = self.open.iter().filter(|open| !open.is_complete.load(Ordering::SeqCst));
            let Some(most) = waiting.map(|open| open.peer).max_by_key(|peer| count(*peer)) else { return Entry::Full };
            most
        } else {
            return Entry::Free;
        };
        let mut open = self.open.iter();
        let oldest = open.position(|open| open.peer == crowded && !open.is_complete.load(Ordering::SeqCst));
        match oldest.and_then(|oldest| self.open.remove(oldest)) {
            Some(oldest) => {
                oldest.task.abort();
                Entry::InPlaceOfAnother
            }
            None => Entry::Full,
        }
    }

    pub(super) fn add(&mut self, peer: IpAddr, task: AbortHandle, is_complete: Arc<AtomicBool>) {
        self.open.push_back(Open { peer, task, is_complete });
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_oldest_connection_without_a_request_makes_room_for_a_new_one() {
        let [one, two, three, four] = [1, 2, 3, 4].map(|number| IpAddr::from(Ipv4Addr::new(192, 0, 2, number)));
        let mut crowd = Crowd::new(4);
        let mut tasks = Vec::new();
        let mut enter = |crowd: &mut Crowd, peer| {
            let entry = crowd.make_room(peer);
            let is_complete = Arc::new(AtomicBool::new(false));
            let task = tokio::spawn(std::future::pending::<()>());
            if entry != Entry::Full {
                crowd.add(peer, task.abort_handle(), Arc::clone(&is_complete));
            }
            tasks.push(task);
            (entry, is_complete)
        };
        // Three of four slots for one address; the second connection has sent its request.
        let (_, second, _) = (enter(&mut crowd, one), enter(&mut crowd, one).1, enter(&mut crowd, one));
        second.store(true, Ordering::SeqCst);
        assert_eq!(enter(&mut crowd, one).0, Entry::InPlaceOfAnother);
        assert_eq!(enter(&mut crowd, two).0, Entry::Free);
        assert_eq!(enter(&mut crowd, three).0, Entry::InPlaceOfAnother, "the first address has the most");
        assert_eq!(crowd.open.iter().filter(|open| open.peer == one).count(), 2);
        assert!(crowd.open.iter().any(|open| Arc::ptr_eq(&open.is_complete, &second)), "it is to be answered");
        for open in &crowd.open {
            open.is_complete.store(true, Ordering::SeqCst);
        }
        assert_eq!(enter(&mut crowd, four).0, Entry::Full);
        crowd.open.iter().for_each(|open| open.task.abort());
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(enter(&mut crowd, four).0, Entry::Free);
    }
}
