//! The mark of an agent session.
//!
//! An orchestrator of agents sets [`VARIABLE`]. The Azure CLI has sent its value with each token
//! request since version 2.87, and the tokens then tell a resource that an agent acts. MSAL caches
//! such a token under an extended cache key of its own: `_compute_ext_cache_key` in
//! `msal/token_cache.py`, since MSAL 1.38.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// The environment variable with the session's id.
pub const VARIABLE: &str = "COPILOT_AGENT_SESSION_ID";

/// The form field and the query parameter of a token request that carry the id.
pub const PARAMETER: &str = "client_session";

/// The longest id. The ids of Copilot are UUIDs, of 36 characters.
pub const LONGEST: usize = 256;

/// The session that tokens are marked with. `Debug` does not print its id.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AgentSession(Box<str>);

/// The text is not the id of an agent session. The message does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidAgentSession;

impl AgentSession {
    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0
    }

    /// The `ext_cache_key` of the session's tokens: the base64url of a SHA-256, in lower case.
    #[must_use]
    pub fn cache_key(&self) -> String {
        let fields = format!("{}:{PARAMETER}{}:{}", PARAMETER.len(), self.0.len(), self.0);
        URL_SAFE_NO_PAD.encode(Sha256::digest(fields)).to_lowercase()
    }
}

impl FromStr for AgentSession {
    type Err = InvalidAgentSession;

    /// Accepts 1 to [`LONGEST`] visible ASCII characters: the id is part of a URL.
    fn from_str(text: &str) -> Result<Self, InvalidAgentSession> {
        let is_id = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_id { Ok(Self(text.into())) } else { Err(InvalidAgentSession) }
    }
}

impl fmt::Debug for AgentSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentSession(..)")
    }
}

impl fmt::Display for InvalidAgentSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the id of an agent session has 1 to {LONGEST} visible ASCII characters")
    }
}

impl std::error::Error for InvalidAgentSession {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_key_is_that_of_msal() {
        // Printed by `_compute_ext_cache_key({"client_session": …})` of MSAL 1.39.
        let session: AgentSession = "0f8fad5b-d9cb-469f-a165-70867728950e".parse().unwrap();
        assert_eq!(session.cache_key(), "a_wxrlctbxdsd5iia6yf4cmrroepxpa2p6-z0ue8qvo");
    }

    #[test]
    fn an_id_is_visible_ascii_of_a_limited_length() {
        for text in ["x", "{~!}", &"x".repeat(LONGEST)] {
            assert_eq!(text.parse::<AgentSession>().unwrap().id(), text);
        }
        for text in ["", " ", "a b", "a\nb", "ä", "a\0", &"x".repeat(LONGEST + 1)] {
            assert_eq!(text.parse::<AgentSession>(), Err(InvalidAgentSession), "{text:?}");
        }
    }

    #[test]
    fn an_id_is_not_printed() {
        let session: AgentSession = "hunter2".parse().unwrap();
        assert_eq!(format!("{session:?}"), "AgentSession(..)");
        assert!(!InvalidAgentSession.to_string().contains("hunter2"));
    }
}
