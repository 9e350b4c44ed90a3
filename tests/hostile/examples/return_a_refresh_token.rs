//! Returns a refresh token as the token.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnARefreshToken;

impl Attempt for ReturnARefreshToken {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["RefreshToken", "uid-0", "family_id"]))
    }
}

hostile::attempt!(ReturnARefreshToken);
