//! How many connections there may be, and of whom.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many connections at once, where the limit of open files allows it. A proxy has one or a few.
const MOST: usize = 256;

/// So many of one user: half, so that no user keeps all others out.
const OF_ONE_USER: usize = 2;

/// What share of the open files may be connections. The others are for caches, token files and the authority.
const SHARE: u64 = 4;

/// Counts connections by user. Clones count the same.
#[derive(Debug, Clone)]
pub(crate) struct Crowd {
    most: usize,
    users: Arc<Mutex<BTreeMap<u32, usize>>>,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    user: u32,
    crowd: Crowd,
}

impl Default for Crowd {
    fn default() -> Self {
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
        Self::of(usize::try_from(files / SHARE).unwrap_or(MOST).clamp(OF_ONE_USER, MOST))
    }
}

impl Crowd {
    fn of(most: usize) -> Self {
        Self { most, users: Arc::default() }
    }

    /// A place for a connection of this user, if there is one.
    pub(crate) fn enter(&self, user: u32) -> Option<Place> {
        let mut users = self.users();
        let all: usize = users.values().sum();
        let of_user = users.entry(user).or_default();
        let enters = all < self.most && *of_user < self.most / OF_ONE_USER;
        *of_user += usize::from(enters);
        enters.then(|| Place { user, crowd: self.clone() })
    }

    fn users(&self) -> MutexGuard<'_, BTreeMap<u32, usize>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut users = self.crowd.users();
        if let Some(connections) = users.get_mut(&self.user) {
            *connections = connections.saturating_sub(1);
        }
        users.retain(|_, connections| *connections > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_half_of_the_places_and_gets_one_back_with_each_connection_that_ends() {
        let crowd = Crowd::of(4);
        let (first, second) = (crowd.enter(1), crowd.enter(1));
        assert!(first.is_some() && second.is_some() && crowd.enter(1).is_none());
        let others = (crowd.enter(2), crowd.enter(3));
        assert!(others.0.is_some() && others.1.is_some() && crowd.enter(4).is_none());
        drop(first);
        assert!(crowd.enter(4).is_some() && crowd.enter(1).is_some());
        drop((second, others));
        assert!(crowd.users().is_empty());
    }
}
