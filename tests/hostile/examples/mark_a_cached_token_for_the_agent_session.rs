//! Writes the host's agent session into the entry of an unmarked token, for the next call to find.

#![no_main]

use hostile::wit::https::get_settings;
use hostile::{Answer, Attempt, Call, cache, report};

struct MarkACachedTokenForTheAgentSession;

impl Attempt for MarkACachedTokenForTheAgentSession {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let key = get_settings().agent_session_key.unwrap_or_default();
        let secret = format!("\"secret\":\"{}\"", cache.fitting());
        report(cache.replace_with(&secret, &format!("{secret},\"ext_cache_key\":\"{key}\"")))
    }
}

hostile::attempt!(MarkACachedTokenForTheAgentSession);
