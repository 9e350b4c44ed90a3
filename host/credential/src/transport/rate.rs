//! The per-minute rate limit of requests: a sliding window.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Seconds.
const WINDOW: u64 = 60;

/// The requests of the last minute.
#[derive(Debug)]
pub(super) struct Rate {
    most: usize,
    /// The time of each request, in seconds since the Unix epoch, oldest first; at most `most`.
    sent: Mutex<VecDeque<u64>>,
}

impl Rate {
    pub(super) fn new(most: u32) -> Self {
        Self { most: usize::try_from(most).unwrap_or(usize::MAX), sent: Mutex::default() }
    }

    /// Takes a request from the rate limit.
    ///
    /// # Errors
    /// The number of seconds until the next request is allowed.
    pub(super) fn take(&self, now: u64) -> Result<(), u64> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        // After a clock was set back, later times count as now, so that the wait is at most one
        // window.
        for time in sent.iter_mut() {
            *time = now.min(*time);
        }
        while sent.front().is_some_and(|time| now - time >= WINDOW) {
            sent.pop_front();
        }
        if sent.len() < self.most {
            sent.push_back(now);
            return Ok(());
        }
        Err(sent.front().map_or(WINDOW, |oldest| WINDOW - (now - oldest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_minute_has_at_most_the_allowed_requests() {
        let rate = Rate::new(2);
        for (now, expected) in [
            (1000, Ok(())),
            (1030, Ok(())),
            (1030, Err(30)),
            (1059, Err(1)),
            (1060, Ok(())),
            (1060, Err(30)),
            (1089, Err(1)),
            (1090, Ok(())),
            (1119, Err(1)),
            (5000, Ok(())),
            (5000, Ok(())),
            (5000, Err(60)),
        ] {
            assert_eq!(rate.take(now), expected, "at {now}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_costs_a_minute_at_most() {
        let rate = Rate::new(1);
        assert_eq!(rate.take(9000), Ok(()));
        assert_eq!(rate.take(1000), Err(60));
        assert_eq!(rate.take(1059), Err(1));
        assert_eq!(rate.take(1060), Ok(()));
    }
}
