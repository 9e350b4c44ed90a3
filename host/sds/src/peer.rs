//! Access control by the user of the process that connects.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::net::UnixStream;

use crate::log_once::LogOnce;
use crate::stats::Stats;

/// The users who may have tokens: this process's own, and the configured ones.
#[derive(Debug)]
pub(crate) struct Peers {
    allowed: BTreeSet<u32>,
    refused: LogOnce<Option<u32>>,
    stats: Arc<Stats>,
}

impl Peers {
    pub(crate) fn new(also: &[u32], stats: Arc<Stats>) -> Self {
        let mut allowed: BTreeSet<u32> = also.iter().copied().collect();
        allowed.insert(rustix::process::geteuid().as_raw());
        Self { allowed, refused: LogOnce::default(), stats }
    }

    /// The user of the process that connected, if allowed. The kernel reports it (`SO_PEERCRED`),
    /// so the process cannot forge it.
    pub(crate) fn allow(&self, stream: &UnixStream) -> Option<u32> {
        let user = stream.peer_cred().ok().map(|credentials| credentials.uid());
        if let Some(user) = user.filter(|user| self.allowed.contains(user)) {
            return Some(user);
        }
        self.stats.refuse();
        if self.refused.is_first(user) {
            let who = user.map_or_else(|| "an unknown user".to_owned(), |user| format!("user {user}"));
            tracing::warn!("{who} is refused; name the user with --allow-uid if that is your proxy");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_own_user_may_connect_and_others_only_if_named() {
        let (stream, _other_end) = UnixStream::pair().unwrap();
        let own = rustix::process::geteuid().as_raw();
        let peers = Peers::new(&[], Arc::default());
        assert_eq!(peers.allow(&stream), Some(own));
        // For a server of another user, this process's user is not allowed.
        let elsewhere = Peers { allowed: [own + 1].into(), ..Peers::new(&[], Arc::default()) };
        assert!(elsewhere.allow(&stream).is_none() && elsewhere.allow(&stream).is_none());
        assert_eq!(elsewhere.stats.refused(), 2);
        assert!(!elsewhere.refused.is_first(Some(own)), "it was logged");
        assert!(Peers { allowed: [own + 1, own].into(), ..elsewhere }.allow(&stream).is_some());
        assert!(Peers::new(&[own + 1], Arc::default()).allowed.contains(&(own + 1)));
    }
}
