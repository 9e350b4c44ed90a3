//! Redeems a refresh token that was issued to another application.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, report};

struct RedeemAnotherClientsRefreshToken;

impl Attempt for RedeemAnotherClientsRefreshToken {
    fn get_token(_: &Call) -> Answer {
        report(redeem(&form(cache().handle(&["RefreshToken", "other-client"]))))
    }
}

hostile::attempt!(RedeemAnotherClientsRefreshToken);
