//! Adds an empty section with an existing name, so that readers find no refresh token.

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
