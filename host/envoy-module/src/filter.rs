//! Adds the token to a request.

use shared_token_cache::Clock;

use crate::counters::Counters;
use crate::guard::guarded;
use crate::injector::Current;

/// A request in Envoy.
pub(crate) trait Stream {
    /// Sets the only `Authorization` header.
    fn set_authorization(&self, value: &str) -> bool;
    /// Answers the request with 401.
    fn refuse(&self);
    fn count(&self, counter: usize, by: u64);
}

/// The outcome for a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Envoy continues the request, with a token.
    Continue,
    /// The filter has answered the request.
    Stop,
}

/// Adds the current token to the request. Without a token the filter answers 401: no request is
/// forwarded without a token, or with one from the client.
pub(crate) fn request(
    stream: &impl Stream,
    counters: &Counters,
    current: Option<&Current>,
    clock: &impl Clock,
) -> Verdict {
    let refuse = || {
        stream.refuse();
        stream.count(counters.failed, 1);
        Verdict::Stop
    };
    guarded(refuse, || {
        let refreshed = current.map_or(0, Current::take_uncounted);
        if refreshed > 0 {
            stream.count(counters.refreshed, refreshed);
        }
        match current.and_then(|current| current.header(clock.now())) {
            Some(header) if stream.set_authorization(header.expose()) => {
                stream.count(counters.injected, 1);
                Verdict::Continue
            }
            _ => refuse(),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::injector::current;

    const COUNTERS: Counters = Counters { injected: 0, failed: 1, refreshed: 2 };

    /// A clock with a fixed time.
    struct At(u64);

    impl Clock for At {
        fn now(&self) -> u64 {
            self.0
        }
    }

    #[derive(Default)]
    struct Fake {
        authorization: RefCell<Option<String>>,
        refused: RefCell<usize>,
        counted: RefCell<[u64; 3]>,
        takes_no_header: bool,
        panics: bool,
    }

    impl Stream for Fake {
        fn set_authorization(&self, value: &str) -> bool {
            assert!(!self.panics, "on purpose");
            *self.authorization.borrow_mut() = Some(value.to_owned());
            !self.takes_no_header
        }

        fn refuse(&self) {
            *self.refused.borrow_mut() += 1;
        }

        fn count(&self, counter: usize, by: u64) {
            self.counted.borrow_mut()[counter] += by;
        }
    }

    #[test]
    fn a_request_gets_the_current_token() {
        let (stream, current) = (Fake::default(), current("a", 100));
        for _ in 0..2 {
            assert_eq!(request(&stream, &COUNTERS, Some(&current), &At(99)), Verdict::Continue);
        }
        assert_eq!(stream.authorization.take().as_deref(), Some("Bearer a"));
        assert_eq!((stream.refused.take(), stream.counted.take()), (0, [2, 0, 1]));
    }

    #[test]
    fn a_request_without_a_token_is_answered() {
        let (without, expired) = (current("", 100), current("a", 100));
        for current in [None, Some(&without), Some(&expired)] {
            let stream = Fake::default();
            assert_eq!(request(&stream, &COUNTERS, current, &At(100)), Verdict::Stop);
            assert_eq!((stream.authorization.take(), stream.refused.take()), (None, 1));
            assert_eq!(stream.counted.take()[..2], [0, 1]);
        }
    }

    #[test]
    fn a_request_whose_header_cannot_be_set_is_answered() {
        let current = current("a", 100);
        for stream in [Fake { takes_no_header: true, ..Fake::default() }, Fake { panics: true, ..Fake::default() }] {
            assert_eq!(request(&stream, &COUNTERS, Some(&current), &At(1)), Verdict::Stop);
            assert_eq!((stream.refused.take(), stream.counted.take()[..2].to_vec()), (1, vec![0, 1]));
        }
    }
}
