//! Adds an empty section of a name that is there, so that readers find no refresh token any more.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell_all};

struct WriteASectionTwice;

impl Attempt for WriteASectionTwice {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        tell_all(["RefreshToken", "\\u0052efreshToken", "Account"].map(|name| cache.add(&format!("\"{name}\":{{}}"))))
    }
}

hostile::attempt!(WriteASectionTwice);
