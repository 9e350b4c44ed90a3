//! Redeems the refresh token of an account that the credential does not select.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, report};

struct RedeemAnotherAccountsRefreshToken;

impl Attempt for RedeemAnotherAccountsRefreshToken {
    fn get_token(_: &Call) -> Answer {
        report(redeem(&form(cache().handle(&["RefreshToken", "uid-1"]))))
    }
}

hostile::attempt!(RedeemAnotherAccountsRefreshToken);
