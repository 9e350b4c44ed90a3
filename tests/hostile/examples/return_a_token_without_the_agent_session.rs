//! Passes an unmarked token off as one of the host's agent session.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnATokenWithoutTheAgentSession;

impl Attempt for ReturnATokenWithoutTheAgentSession {
    fn get_token(_: &Call) -> Answer {
        token(cache().fitting())
    }
}

hostile::attempt!(ReturnATokenWithoutTheAgentSession);
