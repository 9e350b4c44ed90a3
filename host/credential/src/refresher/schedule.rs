//! The schedule of renewals, and which errors withdraw the token: no I/O, no clock.

use std::time::Duration;

use crate::access_token::AccessToken;
use crate::error::{AuthenticationFailureReason, Error, UnavailableReason};

/// A token is renewed this many seconds before its expiry. From then on the component returns no
/// cached one.
const AHEAD: u64 = 300;

/// A token is withdrawn this many seconds before it expires, because the request that carries it
/// takes time.
const IN_FLIGHT: u64 = 1;

/// The pause, in seconds, when a renewal was due but brought no new token, and the current one is
/// valid for a while.
const RENEWAL_PAUSE: u64 = 60;

/// The pause, in seconds, when only a new sign-in helps. A sign-in is noticed by polling; the retry
/// covers keyrings that change without a signal, and authorities that reverse a refusal.
const SIGN_IN_PAUSE: u64 = 60;

/// The longest pause of the backoff after transient errors, in seconds. The first is one second,
/// and each doubles.
const LONGEST_PAUSE: u64 = 30;

/// The longest pause, in seconds, that an authority may ask for. A repaired sign-in is noticed
/// after it.
const LONGEST_ASKED: u64 = 600;

/// The effect of an error on the current token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The token stays until it expires.
    Keep,
    /// The token is withdrawn.
    Withdraw,
}

/// The effect of an error on the current token.
pub(super) fn verdict(error: &Error) -> Verdict {
    match error {
        Error::Unreachable(_) | Error::Limit(_) | Error::Component(_) => Verdict::Keep,
        Error::CredentialUnavailable(unavailable) => match unavailable.reason {
            // A keyring may be locked for a while, and a file may be incomplete during a write.
            UnavailableReason::CacheUnavailable | UnavailableReason::CacheCorrupt => Verdict::Keep,
            _ => Verdict::Withdraw,
        },
        Error::ClientAuthentication(failure) => match failure.reason {
            AuthenticationFailureReason::UnexpectedResponse => Verdict::Keep,
            // An overloaded authority is `Unreachable`, whatever its error.
            AuthenticationFailureReason::OAuthError | AuthenticationFailureReason::TenantNotAllowed => {
                Verdict::Withdraw
            }
        },
        Error::InvalidArgument(_) | Error::Denied(_) => Verdict::Withdraw,
    }
}

/// The time of the next call, and the number of failures in a row.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// The time of the last call.
    asked: u64,
    due: u64,
    failures: u32,
}

impl Schedule {
    /// Whether the next call is due. A clock that was set back makes every scheduled time worthless.
    pub(super) fn is_due(&self, now: u64) -> bool {
        now >= self.due || now < self.asked
    }

    /// Schedules the renewal of a new token.
    pub(super) fn token_received(&mut self, token: &AccessToken, now: u64) {
        self.failures = 0;
        self.asked = now;
        let left = token.expires_on.saturating_sub(now);
        // A token that is short-lived from the start is renewed at half its life.
        let ahead = if left > AHEAD { AHEAD } else { left / 2 };
        let latest = token.expires_on.saturating_sub(ahead);
        let renewal = token.refresh_on.map_or(latest, |time| if time > now { time } else { now + RENEWAL_PAUSE });
        self.due = latest.min(renewal).max(now + 1);
    }

    /// Schedules the retry after a failure. The authority may have asked for a pause.
    pub(super) fn failed(&mut self, verdict: Verdict, asked: Option<Duration>, now: u64) {
        let pause = match verdict {
            Verdict::Keep => 1_u64.checked_shl(self.failures).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE),
            Verdict::Withdraw => SIGN_IN_PAUSE,
        };
        self.failures = self.failures.saturating_add(1);
        self.asked = now;
        let asked = asked.map_or(0, |pause| pause.as_secs().min(LONGEST_ASKED));
        self.due = now + pause.max(asked);
    }
}

/// The error of a token that was not renewed in time.
pub(super) fn expired() -> Error {
    Error::Unreachable("the token expired before it was renewed".into())
}

/// Whether a token is too close to its expiry to be sent.
pub(super) fn is_expired(token: &AccessToken, now: u64) -> bool {
    now + IN_FLIGHT >= token.expires_on
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{AuthenticationFailure, LimitExceeded, Unavailable};

    const NOW: u64 = 1_763_899_200;

    fn token(lives: u64, refresh_in: Option<u64>) -> AccessToken {
        AccessToken {
            token: "hunter2".to_owned().into(),
            expires_on: NOW + lives,
            refresh_on: refresh_in.map(|seconds| NOW + seconds),
            token_type: "Bearer".into(),
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_expires_and_when_the_authority_asks_for_it() {
        for (lives, refresh_in, due) in [
            (3600, None, 3300),
            (3600, Some(1800), 1800),
            (3600, Some(3500), 3300),
            (3600, Some(0), 60),
            (310, Some(0), 10),
            (310, None, 10),
            (301, None, 1),
            (300, None, 150),
            (4, None, 2),
            (1, None, 1),
            (0, None, 1),
        ] {
            let mut schedule = Schedule::default();
            schedule.token_received(&token(lives, refresh_in), NOW);
            assert!(schedule.is_due(NOW + due) && !schedule.is_due(NOW + due - 1), "{lives} {refresh_in:?}");
        }
    }

    #[test]
    fn pauses_grow_up_to_a_limit_and_a_token_ends_them() {
        let mut schedule = Schedule::default();
        assert!(schedule.is_due(0), "the first time is now");
        let mut now = NOW;
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            schedule.failed(Verdict::Keep, None, now);
            assert!(schedule.is_due(now + pause) && !schedule.is_due(now + pause - 1), "{pause}");
            now += pause;
        }
        (0..100).for_each(|_| schedule.failed(Verdict::Keep, None, now));
        assert!(schedule.is_due(now + 30) && !schedule.is_due(now + 29));
        schedule.failed(Verdict::Withdraw, None, now);
        assert!(schedule.is_due(now + 60) && !schedule.is_due(now + 59));
        schedule.token_received(&token(3600, None), NOW);
        schedule.failed(Verdict::Keep, None, NOW);
        assert!(schedule.is_due(NOW + 1));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_the_next_call_due() {
        let mut schedule = Schedule::default();
        schedule.token_received(&token(3600, None), NOW);
        assert!(schedule.is_due(NOW - 1) && !schedule.is_due(NOW));
        schedule.failed(Verdict::Withdraw, None, NOW);
        assert!(schedule.is_due(NOW - 7200) && !schedule.is_due(NOW + 1));
    }

    #[test]
    fn a_pause_that_the_authority_asks_for_is_kept_up_to_a_limit() {
        for (asked, pause) in [(0, 1), (20, 20), (600, 600), (3600, 600)] {
            let mut schedule = Schedule::default();
            schedule.failed(Verdict::Keep, Some(Duration::from_secs(asked)), NOW);
            assert!(schedule.is_due(NOW + pause) && !schedule.is_due(NOW + pause - 1), "{asked}");
        }
    }

    #[test]
    fn a_token_is_withdrawn_before_it_expires() {
        assert!(
            !is_expired(&token(2, None), NOW)
                && is_expired(&token(1, None), NOW)
                && is_expired(&token(0, None), NOW + 9)
        );
    }

    #[test]
    fn a_token_outlives_transient_errors_and_no_others() {
        let unavailable = |reason| {
            Error::CredentialUnavailable(Unavailable {
                reason,
                message: String::new(),
                candidates: Vec::new(),
                sources: Vec::new(),
            })
        };
        let refused = |reason| {
            Error::ClientAuthentication(AuthenticationFailure {
                reason,
                message: String::new(),
                oauth: None,
                sources: Vec::new(),
            })
        };
        for (error, expected) in [
            (Error::unreachable(""), Verdict::Keep),
            (Error::Limit(LimitExceeded::fixed("")), Verdict::Keep),
            (unavailable(UnavailableReason::CacheUnavailable), Verdict::Keep),
            (unavailable(UnavailableReason::CacheCorrupt), Verdict::Keep),
            (refused(AuthenticationFailureReason::UnexpectedResponse), Verdict::Keep),
            (unavailable(UnavailableReason::NoAccounts), Verdict::Withdraw),
            (unavailable(UnavailableReason::NoMatchingAccount), Verdict::Withdraw),
            (unavailable(UnavailableReason::MultipleAccounts), Verdict::Withdraw),
            (unavailable(UnavailableReason::NoToken), Verdict::Withdraw),
            (refused(AuthenticationFailureReason::OAuthError), Verdict::Withdraw),
            (refused(AuthenticationFailureReason::TenantNotAllowed), Verdict::Withdraw),
            (Error::denied(String::new()), Verdict::Withdraw),
            (Error::InvalidArgument(String::new()), Verdict::Withdraw),
        ] {
            assert_eq!(verdict(&error), expected, "{error:?}");
        }
    }
}
