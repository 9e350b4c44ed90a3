//! Names another agent session than the host's in a token request.

#![no_main]

use hostile::{Answer, Attempt, Call, ENDPOINT, cache, form, post, tell_all};

struct PostAnAgentSessionOfItsOwn;

impl Attempt for PostAnAgentSessionOfItsOwn {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let form = || form(cache.handle(&["RefreshToken", "uid-0", "family_id"]));
        tell_all([
            post(ENDPOINT, &[], &form().with("client_session", "another")),
            post(&format!("{ENDPOINT}?client_session=another"), &[], &form()),
        ])
    }
}

hostile::attempt!(PostAnAgentSessionOfItsOwn);
