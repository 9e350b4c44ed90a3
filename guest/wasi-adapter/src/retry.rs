//! Retries of a token request, by the same rules as in this project's own host.

use std::time::{Duration, SystemTime};

/// The pauses before the retries.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// The longest pause that a `Retry-After` may request. A longer one ends the retries.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// The pauses of one request.
pub(crate) struct Retries(std::array::IntoIter<Duration, 3>);

impl Retries {
    pub(crate) fn new() -> Self {
        Self(PAUSES.into_iter())
    }

    /// The pause before the next retry; `None` if there is none.
    pub(crate) fn pause(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        let pause = self.0.next()?;
        match retry_after {
            Some(asked) => (asked <= LONGEST_RETRY_AFTER).then(|| pause.max(asked)),
            None => Some(pause),
        }
    }
}

pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Seconds or a date: RFC 9110, section 10.2.3. `now` is in seconds since the Unix epoch.
pub(crate) fn retry_after(value: &str, now: u64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let mut retries = Retries::new();
        let pauses: Vec<_> = std::iter::from_fn(|| retries.pause(None)).collect();
        assert_eq!(pauses, PAUSES);
    }

    #[test]
    fn the_authority_may_ask_for_a_longer_pause() {
        let after = |seconds| Retries::new().pause(Some(Duration::from_secs(seconds)));
        assert_eq!(after(0), Some(PAUSES[0]));
        assert_eq!(after(30), Some(Duration::from_secs(30)));
        assert_eq!(after(31), None);
    }

    #[test]
    fn only_temporary_errors_are_retried() {
        assert!([408, 429, 500, 502, 503, 504].into_iter().all(is_passing));
        assert!(![200, 302, 400, 401, 403, 501].into_iter().any(is_passing));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = 1_700_000_000;
        assert_eq!(retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Tue, 14 Nov 2023 22:13:30 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(retry_after("Tue, 14 Nov 2023 22:13:10 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
