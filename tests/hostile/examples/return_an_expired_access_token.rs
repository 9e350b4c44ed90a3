//! Returns an expired access token, with an expiry an hour ahead.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnAnExpiredAccessToken;

impl Attempt for ReturnAnExpiredAccessToken {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["AccessToken", "uid-0", "\"expires_on\":\"1700000000\""]))
    }
}

hostile::attempt!(ReturnAnExpiredAccessToken);
