//! What is said once, however often it happens.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// More than there are users and proxies on a machine; what comes after is not said at all.
const MOST: usize = 100;

/// Remembers what was said.
#[derive(Debug)]
pub(crate) struct Said<T>(Mutex<BTreeSet<T>>);

impl<T> Default for Said<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Ord> Said<T> {
    /// Whether this is the first time.
    pub(crate) fn is_news(&self, what: T) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.len() < MOST && said.insert(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_news_once_and_too_much_is_none() {
        let said = Said::default();
        assert!(said.is_news(0) && !said.is_news(0));
        assert_eq!((1..1000).filter(|number| said.is_news(*number)).count(), MOST - 1);
    }
}
