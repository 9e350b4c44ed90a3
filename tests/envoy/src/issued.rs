//! All tokens that were issued in a scenario, with their times.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use token_endpoint::sign_in::{MARK, token_reply};
use token_endpoint::{Received, Reply};

/// The lifetime of the authority's tokens, in seconds.
pub(crate) const LIFETIME: u64 = 4;

#[derive(Debug, Clone, Default)]
pub(crate) struct Issued {
    tokens: Arc<Mutex<BTreeMap<String, Life>>>,
    down: Arc<AtomicBool>,
    hiccups: Arc<AtomicBool>,
}

/// When a token was issued, and when it expires if that is before the end of the test.
#[derive(Debug, Clone, Copy)]
struct Life {
    begin: Instant,
    end: Option<Instant>,
}

impl Issued {
    /// A new token, for a cache.
    pub(crate) fn next(&self) -> String {
        self.issue(None)
    }

    /// Makes the authority unavailable, or available again.
    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Makes every other response RFC 6749's `temporarily_unavailable`, under a status with another
    /// meaning.
    pub(crate) fn set_hiccups(&self, hiccups: bool) {
        self.hiccups.store(hiccups, Ordering::SeqCst);
    }

    fn issue(&self, lifetime: Option<Duration>) -> String {
        let mut tokens = self.tokens();
        let token = format!("eyJhbGciOiJub25lIn0.{MARK}-issue-{}.c2ln", tokens.len());
        let begin = Instant::now();
        tokens.insert(token.clone(), Life { begin, end: lifetime.map(|lifetime| begin + lifetime) });
        token
    }

    /// An authority that redeems refresh tokens of user 0 for short-lived tokens.
    pub(crate) fn responder(&self) -> impl FnMut(&Received) -> Reply + Send + use<> {
        let issued = self.clone();
        let mut busy = false;
        move |_| {
            if issued.down.load(Ordering::SeqCst) {
                return Reply::hang_up();
            }
            busy = issued.hiccups.load(Ordering::SeqCst) && !busy;
            if busy {
                let error = json!({ "error": "temporarily_unavailable", "error_description": "AADSTS90033: busy", "error_codes": [90033] });
                return Reply::json(400, error);
            }
            let mut reply = token_reply(0);
            if let Some(fields) = reply.as_object_mut() {
                for field in ["expires_on", "refresh_token"] {
                    fields.remove(field);
                }
                for field in ["expires_in", "ext_expires_in"] {
                    fields.insert(field.into(), LIFETIME.into());
                }
                fields.insert("access_token".into(), Value::String(issued.issue(Some(Duration::from_secs(LIFETIME)))));
            }
            Reply::json(200, reply)
        }
    }

    /// Whether this token was valid at this time.
    pub(crate) fn check(&self, token: &str, at: Instant) -> Result<()> {
        let tokens = self.tokens();
        let life = tokens.get(token).with_context(|| format!("{token:?} was never issued"))?;
        ensure!(life.begin <= at, "{token} was sent before it was issued");
        ensure!(life.end.is_none_or(|end| at <= end), "{token} was sent after it had expired");
        Ok(())
    }

    fn tokens(&self) -> MutexGuard<'_, BTreeMap<String, Life>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_issued_and_lives_is_good() {
        let (before, issued) = (Instant::now(), Issued::default());
        let (one, two) = (issued.next(), issued.next());
        assert_ne!(one, two);
        issued.check(&two, Instant::now()).unwrap();
        assert!(issued.check(&two, before).is_err());
        assert!(issued.check("", Instant::now()).is_err());
        let short = issued.issue(Some(Duration::ZERO));
        std::thread::sleep(Duration::from_millis(1));
        assert!(issued.check(&short, Instant::now()).is_err());
    }
}
