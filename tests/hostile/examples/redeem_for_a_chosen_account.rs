//! Redeems the refresh token of either account in a call that selects no account.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, tell_all};

struct RedeemForAChosenAccount;

impl Attempt for RedeemForAChosenAccount {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let accounts = ["uid-0", "uid-1"];
        tell_all(accounts.map(|account| redeem(&form(cache.handle(&["RefreshToken", account, "family_id"])))))
    }
}

hostile::attempt!(RedeemForAChosenAccount);
