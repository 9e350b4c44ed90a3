//! Requests no client info, which identifies the account, so that a token of another account
//! passes.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, tell_all};

struct SwitchTheCheckOfTheAccountOff;

impl Attempt for SwitchTheCheckOfTheAccountOff {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let others = ["", "0", "true", "1 ", "01"];
        let mut tries = vec![redeem(&form(handle).without("client_info"))];
        tries.extend(others.map(|value| redeem(&form(handle).with("client_info", value))));
        tell_all(tries)
    }
}

hostile::attempt!(SwitchTheCheckOfTheAccountOff);
