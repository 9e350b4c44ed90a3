//! Writes in a call that has redeemed no refresh token.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct WriteWithoutARedemption;

impl Attempt for WriteWithoutARedemption {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        report(cache.replace_unpaid(&cache.text))
    }
}

hostile::attempt!(WriteWithoutARedemption);
