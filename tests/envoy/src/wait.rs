//! Polling until a condition holds.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const STEP: Duration = Duration::from_millis(10);

/// How long Envoy's clients may take to see a change.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Polls `what` until it returns a value.
pub(crate) fn until<T>(limit: Duration, wanted: &str, mut what: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = what()? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("{wanted}: not within {limit:?}");
        }
        std::thread::sleep(STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_names_its_condition() {
        let error = until(Duration::ZERO, "a token", || Ok(None::<()>)).unwrap_err();
        assert_eq!(error.to_string(), "a token: not within 0ns");
        let mut left = 3;
        let counted = until(SOON, "three", || {
            left -= 1;
            Ok((left == 0).then_some("done"))
        });
        assert_eq!(counted.unwrap(), "done");
    }
}
