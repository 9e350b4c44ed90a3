//! What proxies say of their credentials. A directory locks an account after a few wrong passwords, and an agent has many profiles, so
//! the whole process tries a password once, and not again for a while when it is refused.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as Turn, MutexGuard};

use super::Proxy;
use crate::transport::TransportError;

/// How long credentials that were refused are not sent again. Directories count wrong passwords over ten minutes and more.
const PAUSE: Duration = Duration::from_secs(600);

/// When each proxy refused its credentials; none for those that took them.
static VERDICTS: Mutex<Vec<(Proxy, Option<Instant>)>> = Mutex::new(Vec::new());

/// The turn of the request that is the first to try credentials.
static FIRST: Turn<()> = Turn::const_new(());

/// Leave to send the credentials of a proxy; it ends when it is dropped.
pub(in crate::transport) struct Leave {
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Proxy {
    /// Leave to send the credentials. The first request with them is waited for, up to `longest`.
    ///
    /// # Errors
    /// When they were refused a short while ago.
    pub(in crate::transport) async fn leave(&self, longest: Duration) -> Result<Leave, TransportError> {
        if self.is_approved()? {
            return Ok(Leave { _turn: None });
        }
        let turn = tokio::time::timeout(longest, FIRST.lock()).await.ok();
        Ok(Leave { _turn: if self.is_approved()? { None } else { turn } })
    }

    /// Whether the proxy has taken the credentials.
    fn is_approved(&self) -> Result<bool, TransportError> {
        let verdicts = VERDICTS.lock().unwrap_or_else(PoisonError::into_inner);
        match verdicts.iter().find(|(proxy, _)| proxy == self) {
            None => Ok(false),
            Some((_, None)) => Ok(true),
            Some((_, Some(since))) => match PAUSE.checked_sub(since.elapsed()) {
                Some(pause) if !pause.is_zero() => Err(self.refusal(pause)),
                _ => Ok(false),
            },
        }
    }

    /// The proxy let a request pass, or failed otherwise than by its credentials.
    pub(in crate::transport) fn approve(&self) {
        self.remember(None);
    }

    /// The proxy answered with status 407 (RFC 9110, section 15.5.8).
    pub(in crate::transport) fn refuse(&self) -> TransportError {
        self.remember(Some(Instant::now()));
        self.refusal(PAUSE)
    }

    fn remember(&self, verdict: Option<Instant>) {
        let mut verdicts = VERDICTS.lock().unwrap_or_else(PoisonError::into_inner);
        match verdicts.iter_mut().find(|(proxy, _)| proxy == self) {
            Some((_, last)) => *last = verdict,
            None => verdicts.push((self.clone(), verdict)),
        }
    }

    fn refusal(&self, pause: Duration) -> TransportError {
        let (proxy, variable) = (self.shown(), self.variable);
        let (what, remedy) = if self.credentials.is_some() {
            ("refuses the user and password", format!("correct them in {variable}"))
        } else {
            ("wants a user and a password", format!("write them into {variable}, as `http://USER:PASSWORD@HOST:PORT`"))
        };
        TransportError::ProxyRefused {
            what: format!("the proxy {proxy} {what} (status 407)"),
            remedy: format!("{remedy}; of the ways to sign in to a proxy, only Basic is supported"),
            pause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Proxies;
    use super::*;

    fn proxies(value: &str) -> Proxies {
        Proxies::read(|name| (name == "HTTPS_PROXY").then(|| value.into()))
    }

    #[tokio::test]
    async fn credentials_that_were_refused_are_not_sent_again_by_any_transport_of_the_process() {
        let (_, Ok(proxy)) = proxies("http://user0:hunter2@verdict:1").proxy.unwrap() else { panic!("no proxy") };
        let wait = Duration::from_millis(10);
        let first = proxy.leave(wait).await.ok().unwrap();
        assert!(first._turn.is_some(), "the first has the turn");
        let error = proxy.refuse().to_string();
        assert!(error.contains("http://verdict:1") && error.contains("HTTPS_PROXY"), "{error}");
        assert!(!error.contains("user0") && !error.contains("hunter2"), "{error}");
        drop(first);
        for (value, refused) in [
            ("http://user0:hunter2@verdict:1", true),
            ("http://user0:other@verdict:1", false),
            ("http://user0:hunter2@verdict:2", false),
        ] {
            let (_, Ok(proxy)) = proxies(value).proxy.unwrap() else { panic!("no proxy") };
            match proxy.leave(wait).await {
                Err(TransportError::ProxyRefused { pause, .. }) => assert!(refused && pause <= PAUSE, "{value}"),
                other => assert!(!refused && other.is_ok(), "{value}"),
            }
        }
        proxy.approve();
        assert!(proxy.leave(wait).await.ok().unwrap()._turn.is_none(), "nothing is waited for any more");
    }
}
