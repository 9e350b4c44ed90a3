//! Returns an id token as the token.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnAnIdToken;

impl Attempt for ReturnAnIdToken {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["IdToken", "uid-0"]))
    }
}

hostile::attempt!(ReturnAnIdToken);
