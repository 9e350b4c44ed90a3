//! Who is at the other end of the socket.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UnixStream;

use crate::stats::Stats;

/// The users who may have tokens: this process's own, and those who were named.
#[derive(Debug)]
pub(crate) struct Peers {
    allowed: BTreeSet<u32>,
    /// Who was refused already: that is said once.
    refused: Mutex<BTreeSet<Option<u32>>>,
    stats: Arc<Stats>,
}

impl Peers {
    pub(crate) fn new(also: &[u32], stats: Arc<Stats>) -> Self {
        let mut allowed: BTreeSet<u32> = also.iter().copied().collect();
        allowed.insert(rustix::process::geteuid().as_raw());
        Self { allowed, refused: Mutex::default(), stats }
    }

    /// Whether the process that connected belongs to one of these users. The kernel says so (`SO_PEERCRED`), and the process can't.
    pub(crate) fn allow(&self, stream: &UnixStream) -> bool {
        let user = stream.peer_cred().ok().map(|credentials| credentials.uid());
        if user.is_some_and(|user| self.allowed.contains(&user)) {
            return true;
        }
        self.stats.refuse();
        if self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(user) {
            let who = user.map_or_else(|| "an unknown user".to_owned(), |user| format!("user {user}"));
            tracing::warn!("{who} is refused; name the user with --allow-uid if that is your proxy");
        }
        false
    }
}
