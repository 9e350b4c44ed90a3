//! Deduplication of log lines.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The limit on remembered lines: more than there are users and proxies on a machine. Later ones
/// are not logged at all.
const MOST: usize = 100;

/// The lines that were logged.
#[derive(Debug)]
pub(crate) struct LogOnce<T>(Mutex<BTreeSet<T>>);

impl<T> Default for LogOnce<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Ord> LogOnce<T> {
    /// Whether to log this: it is new, and the limit is not reached.
    pub(crate) fn is_first(&self, what: T) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logged.len() < MOST && logged.insert(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_logged_once_and_beyond_the_limit_never() {
        let logged = LogOnce::default();
        assert!(logged.is_first(0) && !logged.is_first(0));
        assert_eq!((1..1000).filter(|number| logged.is_first(*number)).count(), MOST - 1);
    }
}
