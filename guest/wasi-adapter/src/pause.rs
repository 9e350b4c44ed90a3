//! Waiting.

use std::time::Duration;

use wasi::clocks::monotonic_clock;

/// Waits this long.
pub(crate) fn pause(duration: Duration) {
    monotonic_clock::subscribe_duration(nanoseconds(duration)).block();
}

/// The time since a fixed moment.
pub(crate) fn now() -> Duration {
    Duration::from_nanos(monotonic_clock::now())
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
