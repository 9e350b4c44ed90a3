//! Sends an access token to the authority, which has no use for it.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, report};

struct RedeemAnAccessToken;

impl Attempt for RedeemAnAccessToken {
    fn get_token(_: &Call) -> Answer {
        report(redeem(&form(cache().fitting())))
    }
}

hostile::attempt!(RedeemAnAccessToken);
