//! Returns a token with the mark of an agent session to a host that is in none.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnATokenOfAnAgentSession;

impl Attempt for ReturnATokenOfAnAgentSession {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["AccessToken", "uid-0", "ext_cache_key"]))
    }
}

hostile::attempt!(ReturnATokenOfAnAgentSession);
