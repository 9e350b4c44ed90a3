//! How this program's own clients keep the mark of an agent session. The protocol of App Service
//! has no place for a session, so a header field names the cache key of the client's session, and
//! the reply says whether the token is of it.

use hyper::header::HeaderValue;
use shared_token_cache::policy::AgentSessionUse;
use shared_token_cache::{AgentSession, SharedTokenCacheCredential};

use super::reply::Refusal;

/// The field of a request, with the cache key of the client's session; and of the reply, with that
/// key, or [`OFF`].
pub(crate) const FIELD: &str = "x-agent-session";

/// The reply of a profile whose `agent-session` is `off`.
pub(crate) const OFF: &str = "off";

/// The marks of a profile's tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Marks {
    /// The policy says that they have none.
    Off,
    /// The cache key of their session; `None` if the agent has no session.
    Session(Option<String>),
}

impl Marks {
    pub(super) fn of(rule: AgentSessionUse, credential: &SharedTokenCacheCredential) -> Self {
        match rule {
            AgentSessionUse::Off => Self::Off,
            AgentSessionUse::Pass => Self::Session(credential.agent_session().map(AgentSession::cache_key)),
        }
    }

    /// The field of the reply to a client in a session.
    pub(super) fn answer(&self, profile: &str, asked: &HeaderValue) -> Result<HeaderValue, Refusal> {
        match self {
            Self::Off => Ok(HeaderValue::from_static(OFF)),
            Self::Session(Some(own)) if own.as_bytes() == asked.as_bytes() => Ok(asked.clone()),
            Self::Session(own) => {
                let what = if own.is_some() { "is of another one" } else { "has none" };
                let message = format!(
                    "the client is in an agent session (COPILOT_AGENT_SESSION_ID), and the agent on the host {what}. Start it with \
                     the same value, or set `agent-session = \"off\"` in the profile {profile} for tokens without the mark"
                );
                Err(Refusal::forbidden("agent-session", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_in_a_session_gets_a_token_of_it_or_what_the_policy_says() {
        let asked = HeaderValue::from_static("key-1");
        let session = |key: Option<&str>| Marks::Session(key.map(str::to_owned));
        for (marks, answer) in [
            (Marks::Off, Some("off")),
            (session(Some("key-1")), Some("key-1")),
            (session(Some("key-2")), None),
            (session(Some("off")), None),
            (session(None), None),
        ] {
            let found = marks.answer("vault", &asked);
            assert_eq!(found.as_ref().ok().map(HeaderValue::as_bytes), answer.map(str::as_bytes), "{marks:?}");
        }
    }
}
