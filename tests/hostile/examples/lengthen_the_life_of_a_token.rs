//! Sets the expiry of an expired token to a time years ahead.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct LengthenTheLifeOfAToken;

impl Attempt for LengthenTheLifeOfAToken {
    fn get_token(_: &Call) -> Answer {
        report(cache().replace_with("\"expires_on\":\"1700000000\"", "\"expires_on\":\"4102444800\""))
    }
}

hostile::attempt!(LengthenTheLifeOfAToken);
