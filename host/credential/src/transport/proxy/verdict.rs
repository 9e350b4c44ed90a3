//! Remembers whether proxies accepted their credentials. A directory locks an account after a few
//! wrong passwords, and an agent has many profiles, so a password is tried once per process, and
//! after a refusal not again for some time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as Turn, MutexGuard};

use super::{Answer, Proxy};
use crate::transport::TransportError;

/// The pause after a refusal. Directories count wrong passwords over ten minutes and more.
const PAUSE: Duration = Duration::from_secs(600);

/// The time of a refusal, and the reply.
type Refusal = (Instant, Answer);

/// The last refusal of each proxy; `None` for a proxy that accepted its credentials.
static VERDICTS: Mutex<Vec<(Proxy, Option<Refusal>)>> = Mutex::new(Vec::new());

/// Lets one request at a time try credentials that its proxy has not accepted yet.
static FIRST: Turn<()> = Turn::const_new(());

/// Permission to send the credentials of a proxy, until dropped.
pub(in crate::transport) struct Leave {
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Proxy {
    /// Waits for permission to send the credentials: until the first request with them has ended,
    /// for at most `longest`.
    ///
    /// # Errors
    /// When they were refused within the pause.
    pub(in crate::transport) async fn leave(&self, longest: Duration) -> Result<Leave, TransportError> {
        if self.is_approved()? {
            return Ok(Leave { _turn: None });
        }
        let turn = tokio::time::timeout(longest, FIRST.lock()).await.ok();
        Ok(Leave { _turn: if self.is_approved()? { None } else { turn } })
    }

    /// Whether there are credentials that the proxy has not accepted yet.
    ///
    /// # Errors
    /// When they were refused within the pause.
    pub(in crate::transport) fn is_on_trial(&self) -> Result<bool, TransportError> {
        Ok(!self.is_approved()? && self.credentials.is_some())
    }

    /// Whether the proxy has accepted the credentials.
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

    /// Notes a failure that is independent of the credentials. Further requests to a proxy without
    /// credentials do not wait.
    pub(in crate::transport) fn pass(&self) {
        if self.credentials.is_none() {
            self.approve();
        }
    }

    /// Notes that the proxy passed a request on, or failed for another reason than its credentials.
    pub(in crate::transport) fn approve(&self) {
        self.remember(None);
    }

    /// Notes status 407 (RFC 9110, section 15.5.8), or a reply without a status, which may be a
    /// refusal too.
    pub(in crate::transport) fn refuse(&self, answer: Answer) -> TransportError {
        self.remember(Some((Instant::now(), answer)));
        self.refusal(answer, PAUSE)
    }

    /// The error for a reply to CONNECT that opens no tunnel, and whether a retry would fail in the
    /// same way.
    pub(in crate::transport) fn failure(&self, answer: Answer, host: &str) -> (TransportError, bool) {
        let (proxy, variable) = (self.named(), self.variable);
        let is_tried = self.credentials.is_some();
        let error = |what: String, hint: String| TransportError::Proxy { what, hint };
        let unread = format!("check that {variable} names an HTTP proxy, with its scheme and port");
        let status = match answer {
            Answer::Status(407) => return (self.refuse(answer), true),
            Answer::Unreadable if is_tried => return (self.refuse(answer), true),
            Answer::Unreadable => {
                return (error(format!("{proxy}, answers with something that is not HTTP"), unread), true);
            }
            // The proxy may have received the credentials.
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
            200 => (error(format!("{proxy}, answers with a head that cannot be read (status 200)"), unread), true),
            300..=399 => {
                (error(what, format!("it redirects, perhaps to a portal: sign in there first; or {allow}")), true)
            }
            401 => (
                error(
                    what,
                    format!(
                        "it asks for the sign-in of a server, not of a proxy: check that {variable} names a proxy; \
                         or {allow}"
                    ),
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
