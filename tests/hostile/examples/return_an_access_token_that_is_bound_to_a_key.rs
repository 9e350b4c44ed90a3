//! Returns a proof-of-possession token as a bearer token.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnAnAccessTokenThatIsBoundToAKey;

impl Attempt for ReturnAnAccessTokenThatIsBoundToAKey {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["AccessToken", "uid-0", "\"pop\""]))
    }
}

hostile::attempt!(ReturnAnAccessTokenThatIsBoundToAKey);
