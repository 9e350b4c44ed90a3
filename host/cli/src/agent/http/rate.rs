//! A rate limit.

use std::time::{Duration, Instant};

/// A token bucket: `burst` tokens at once, then `each_second` new ones.
#[derive(Debug)]
pub(super) struct Rate {
    burst: f64,
    each_second: f64,
    left: f64,
    since: Instant,
}

impl Rate {
    pub(super) fn new(burst: u32, each_second: f64) -> Self {
        Self { burst: f64::from(burst), each_second, left: f64::from(burst), since: Instant::now() }
    }

    /// Takes a token; if none is left, returns how long to wait.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.left = (self.left + passed * self.each_second).min(self.burst);
        self.since = now;
        if self.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.left) / self.each_second));
        }
        self.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_followed_by_a_steady_rate() {
        let mut rate = Rate::new(3, 2.0);
        let start = Instant::now();
        let took = |rate: &mut Rate, after: u64| rate.take(start + Duration::from_millis(after));
        assert!((0..3).all(|_| took(&mut rate, 0).is_ok()));
        let pause = took(&mut rate, 0).unwrap_err();
        assert!(pause > Duration::from_millis(400) && pause <= Duration::from_millis(500), "{pause:?}");
        assert!(took(&mut rate, 600).is_ok() && took(&mut rate, 600).is_err());
        assert!((0..3).all(|_| took(&mut rate, 60_000).is_ok()) && took(&mut rate, 60_000).is_err());
    }
}
