//! The least remaining lifetime of a token, for callers that keep it without reading its expiry.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use shared_token_cache::TokenRequestOptions;

use super::output::Failure;

/// `--min-validity`, in seconds. The default accepts every token of the credential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Validity(u32);

/// Longer than the lifetime of any access token.
const LONGEST: u32 = 7 * 86_400;

const UNITS: [(char, u32); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];

impl FromStr for Validity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write it as a number and a unit, such as 90s, 60m, 1h or 1h30m".to_owned();
        let (mut rest, mut seconds) = (text, 0_u32);
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let (digits, unit) = rest.split_at_checked(end).ok_or_else(wrong)?;
            let mut unit = unit.chars();
            let letter = unit.next();
            let size = UNITS.iter().find(|(name, _)| Some(*name) == letter).map(|(_, size)| *size).ok_or_else(wrong)?;
            let number: u32 = digits.parse().map_err(|_| wrong())?;
            seconds = number.checked_mul(size).and_then(|part| seconds.checked_add(part)).ok_or_else(wrong)?;
            rest = unit.as_str();
        }
        match seconds {
            0 => Err(wrong()),
            1..=LONGEST => Ok(Self(seconds)),
            _ => Err("no token lives for more than 7d".to_owned()),
        }
    }
}

impl Validity {
    /// Reads a variable, for callers that pass no options.
    pub(super) fn from_env(variable: &str) -> Result<Self, Failure> {
        match std::env::var(variable) {
            Ok(text) if !text.is_empty() => {
                text.parse().map_err(|error| Failure::invalid(format!("{variable}={text:?}: {error}")))
            }
            Ok(_) | Err(_) => Ok(Self::default()),
        }
    }

    /// Call options that make the credential renew a cached token with a shorter lifetime.
    pub(super) fn request(self) -> TokenRequestOptions {
        let min_validity = (self != Self::default()).then(|| Duration::from_secs(self.0.into()));
        TokenRequestOptions { min_validity, ..TokenRequestOptions::default() }
    }

    /// Refuses a token with a shorter lifetime, counted from the request: its caller would use it
    /// after its expiry.
    pub(super) fn check(self, expires_on: u64, asked_at: u64) -> Result<(), Failure> {
        let lives = expires_on.saturating_sub(asked_at);
        if lives >= u64::from(self.0) {
            return Ok(());
        }
        Err(Failure::other(anyhow::anyhow!(
            "the token lives for {lives} s, and {} s are asked for; ask for less, since the authority decides how long tokens live",
            self.0
        )))
    }
}

/// Seconds since the Unix epoch.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_units() {
        for (text, seconds) in [("90s", 90), ("60m", 3600), ("1h30m", 5400), ("7d", 604_800), ("1h0m1s", 3601)] {
            assert_eq!(text.parse(), Ok(Validity(seconds)), "{text}");
        }
        for text in ["", "60", "m", "0s", "-1m", "1.5h", "1 h", "60M", "8d", "99999999999s", "4294967295d", "1h30"] {
            assert!(text.parse::<Validity>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_that_lives_shorter_is_refused() {
        let now = now();
        assert!(Validity(3600).check(now + 3600, now).is_ok());
        assert!(Validity(3600).check(now + 3599, now).is_err());
        assert!(Validity(3600).check(0, now).is_err());
        assert!(Validity::default().check(now - 10, now).is_ok());
    }
}
