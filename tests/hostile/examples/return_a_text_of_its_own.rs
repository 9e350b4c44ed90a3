//! Returns a token that an attacker gave it, so that the caller acts as the attacker.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnATextOfItsOwn;

impl Attempt for ReturnATextOfItsOwn {
    fn get_token(_: &Call) -> Answer {
        cache();
        token("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.e30.")
    }
}

hostile::attempt!(ReturnATextOfItsOwn);
