//! Deletes the refresh token of an account that no call selected.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct SignAUserOut;

impl Attempt for SignAUserOut {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let refresh_token = cache.handle(&["RefreshToken", "uid-1"]);
        report(cache.replace_with(&format!("\"secret\":\"{refresh_token}\","), ""))
    }
}

hostile::attempt!(SignAUserOut);
