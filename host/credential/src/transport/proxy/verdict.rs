//! What proxies say of their credentials. A directory locks an account after a few wrong passwords, and an agent has many profiles, so
//! the whole process tries a password once, and not again for a while when it is refused.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as Turn, MutexGuard};

use super::{Answer, Proxy};
use crate::transport::TransportError;

/// How long credentials that were refused are not sent again. Directories count wrong passwords over ten minutes and more.
const PAUSE: Duration = Duration::from_secs(600);

/// When a proxy refused its credentials, and how.
type Refusal = (Instant, Answer);

/// The last refusal of each proxy; `None` for those that took their credentials.
static VERDICTS: Mutex<Vec<(Proxy, Option<Refusal>)>> = Mutex::new(Vec::new());

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

    /// Whether credentials are to be tried that the proxy has not taken yet.
    ///
    /// # Errors
    /// When they were refused a short while ago.
    pub(in crate::transport) fn is_on_trial(&self) -> Result<bool, TransportError> {
        Ok(!self.is_approved()? && self.credentials.is_some())
    }

    /// Whether the proxy has taken the credentials.
    fn is_approved(&self) -> Result<bool, TransportError> {
        let verdicts = VERDICTS.lock().unwrap_or_else(PoisonError::into_inner);
        match verdicts.iter().find(|(proxy, _)| proxy == self) {
            None => Ok(false),
            Some((_, None)) => Ok(true),
            Some((_, Some((since, answer)))) => match PAUSE.checked_sub(since.elapsed()) {
                Some(pause) if !pause.is_zero() => Err(self.refusal(*answer, pause)),
                _ => Ok(false),
            },
        }
    }

    /// Something failed that says nothing of the credentials. A proxy without any is not waited for any more.
    pub(in crate::transport) fn pass(&self) {
        if self.credentials.is_none() {
            self.approve();
        }
    }

    /// The proxy let a request pass, or failed otherwise than by its credentials.
    pub(in crate::transport) fn approve(&self) {
        self.remember(None);
    }

    /// The proxy answered with status 407 (RFC 9110, section 15.5.8), or with what has no status: that may be a refusal as well.
    pub(in crate::transport) fn refuse(&self, answer: Answer) -> TransportError {
        self.remember(Some((Instant::now(), answer)));
        self.refusal(answer, PAUSE)
    }

    /// What to say of an answer to CONNECT that opens no tunnel, and whether it will be the same the next time.
    pub(in crate::transport) fn failure(&self, answer: Answer, host: &str) -> (TransportError, bool) {
        let (proxy, variable) = (self.named(), self.variable);
        let is_tried = self.credentials.is_some();
        let error = |what: String, hint: String| TransportError::Proxy { what, hint };
        let unread = format!("check that {variable} names a proxy for HTTP, its scheme and its port");
        let status = match answer {
            Answer::Status(407) => return (self.refuse(answer), true),
            Answer::Unreadable if is_tried => return (self.refuse(answer), true),
            Answer::Unreadable => {
                return (error(format!("{proxy}, answers with something that is not HTTP"), unread), true);
            }
            // It may have seen the credentials.
            Answer::Nothing => {
                let what = format!("{proxy}, ends the connection, or lets the time pass, without an answer");
                return (error(what, unread), is_tried);
            }
            Answer::Status(status) => status,
        };
        self.approve();
        let what = format!("{proxy}, does not connect to {host} (status {status})");
        let allow = format!(
            "ask its operator to allow {host}, or except the host in NO_PROXY where it can be reached directly"
        );
        match status {
            200 => (error(format!("{proxy}, answers with a head that can't be read (status 200)"), unread), true),
            300..=399 => {
                (error(what, format!("it sends elsewhere, perhaps to a portal: sign in there first; or {allow}")), true)
            }
            401 => (
                error(
                    what,
                    format!("it wants a sign-in that is none of a proxy: check that {variable} names one; or {allow}"),
                ),
                true,
            ),
            408 | 429 | 500..=599 => {
                (error(what, format!("try again later; if it stays, check {variable}, or ask its operator")), false)
            }
            _ => (error(what, allow), true),
        }
    }

    fn remember(&self, verdict: Option<(Instant, Answer)>) {
        let mut verdicts = VERDICTS.lock().unwrap_or_else(PoisonError::into_inner);
        match verdicts.iter_mut().find(|(proxy, _)| proxy == self) {
            Some((_, last)) => *last = verdict,
            None => verdicts.push((self.clone(), verdict)),
        }
    }

    fn refusal(&self, answer: Answer, pause: Duration) -> TransportError {
        let (proxy, variable) = (self.shown(), self.variable);
        let how = match answer {
            Answer::Unreadable => "its answer is not HTTP, and may say so",
            Answer::Status(_) | Answer::Nothing => "status 407",
        };
        let (what, hint) = if self.credentials.is_some() {
            ("refuses the user and password", format!("correct them in {variable}"))
        } else {
            ("wants a user and a password", format!("write them into {variable}, as `http://USER:PASSWORD@HOST:PORT`"))
        };
        TransportError::ProxyRefused {
            what: format!("the proxy {proxy} {what} ({how})"),
            hint: format!("{hint}; of the ways to sign in to a proxy, only Basic is supported"),
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
        let error = proxy.refuse(Answer::Status(407)).to_string();
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
