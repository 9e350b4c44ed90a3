//! The connections of an HTTP front: accepted up to a limit, each served by its own task. A new one
//! replaces the oldest whose request is incomplete.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};

use super::descriptors;

/// The largest number of connections of a listener.
const MOST: usize = 64;

/// The divisor for the share of open files that a front may use.
const SHARE: u64 = 8;

/// The pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// The share of connections for one address. On loopback all programs have the same address, so the
/// rest remains for other machines.
const OF_ONE: (usize, usize) = (3, 4);

/// Accepts connections and serves each, until dropped. `front` begins the warning, as in "the
/// metrics have". `accept` returns `None` for a peer that may not connect. `serve` gets the flag to
/// set when its request is complete.
pub(super) async fn serve<S, A, F>(front: &str, accept: impl Fn() -> A, serve: impl Fn(S, Arc<AtomicBool>) -> F)
where
    A: Future<Output = io::Result<Option<(S, IpAddr)>>>,
    F: Future<Output = ()> + Send + 'static,
{
    let mut open = Connections::new(descriptors::share(SHARE, MOST));
    let mut tasks = JoinSet::new();
    let mut is_logged = false;
    loop {
        tokio::select! {
            accepted = accept() => match accepted {
                Ok(Some((stream, peer))) => {
                    let is_complete = Arc::new(AtomicBool::new(false));
                    let entry = open.make_room(peer);
                    if entry != Entry::Free && !is_logged {
                        is_logged = true;
                        tracing::warn!(
                            "{front} too many connections; each further one ends the oldest without a request"
                        );
                    }
                    if entry != Entry::Full {
                        let task = tasks.spawn(serve(stream, Arc::clone(&is_complete)));
                        open.add(peer, task, is_complete);
                    }
                    // Waits for aborted connections to close, because each uses one of the process's
                    // file descriptors.
                    while tasks.len() > open.most && tasks.join_next().await.is_some() {}
                    // A connection whose request has arrived is served before it could be the oldest.
                    tokio::task::yield_now().await;
                }
                Ok(None) => {}
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = tasks.join_next() => {}
        }
    }
}

/// The open connections, oldest first.
struct Connections {
    most: usize,
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
enum Entry {
    Free,
    /// Another connection was closed for it.
    InPlaceOfAnother,
    /// No connection can be closed, because their requests are complete.
    Full,
}

impl Connections {
    fn new(most: usize) -> Self {
        Self { most, open: VecDeque::new() }
    }

    /// Makes room for a connection from this address. If there is none, closes the oldest
    /// connection without a complete request: of this address if it has reached its share, else of
    /// the address with the most.
    fn make_room(&mut self, peer: IpAddr) -> Entry {
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
        let mut connections = self.open.iter();
        let oldest = connections.position(|open| open.peer == crowded && !open.is_complete.load(Ordering::SeqCst));
        match oldest.and_then(|oldest| self.open.remove(oldest)) {
            Some(oldest) => {
                oldest.task.abort();
                Entry::InPlaceOfAnother
            }
            None => Entry::Full,
        }
    }

    fn add(&mut self, peer: IpAddr, task: AbortHandle, is_complete: Arc<AtomicBool>) {
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
        let mut open = Connections::new(4);
        let mut tasks = Vec::new();
        let mut enter = |open: &mut Connections, peer| {
            let entry = open.make_room(peer);
            let is_complete = Arc::new(AtomicBool::new(false));
            let task = tokio::spawn(std::future::pending::<()>());
            if entry != Entry::Full {
                open.add(peer, task.abort_handle(), Arc::clone(&is_complete));
            }
            tasks.push(task);
            (entry, is_complete)
        };
        // Three of four slots for one address; the second connection has sent its request.
        let (_, second, _) = (enter(&mut open, one), enter(&mut open, one).1, enter(&mut open, one));
        second.store(true, Ordering::SeqCst);
        assert_eq!(enter(&mut open, one).0, Entry::InPlaceOfAnother);
        assert_eq!(enter(&mut open, two).0, Entry::Free);
        assert_eq!(enter(&mut open, three).0, Entry::InPlaceOfAnother, "the first address has the most");
        assert_eq!(open.open.iter().filter(|open| open.peer == one).count(), 2);
        assert!(open.open.iter().any(|open| Arc::ptr_eq(&open.is_complete, &second)), "it is to be answered");
        for open in &open.open {
            open.is_complete.store(true, Ordering::SeqCst);
        }
        assert_eq!(enter(&mut open, four).0, Entry::Full);
        open.open.iter().for_each(|open| open.task.abort());
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(enter(&mut open, four).0, Entry::Free);
    }
}
