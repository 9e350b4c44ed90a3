//! Deduplication of log lines.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The limit on remembered lines: more than there are users and proxies on a machine. Later ones
/// are not logged at all.
const MOST: usize = 100;

/// The lines that were logged.
#[derive(Debug)]
pub(crate) struct Said<T>(Mutex<BTreeSet<T>>);

impl<T> Default for Said<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Ord> Said<T> {
    /// Whether to log this: it is new, and the limit is not reached.
    pub(crate) fn is_news(&self, what: T) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.len() < MOST && said.insert(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_logged_once_and_beyond_the_limit_never() {
        let said = Said::default();
        assert!(said.is_news(0) && !said.is_news(0));
        assert_eq!((1..1000).filter(|number| said.is_news(*number)).count(), MOST - 1);
    }
}
