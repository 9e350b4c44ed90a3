//! Puts a refresh token into the entry of an access token, for the next reader to hand out.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct WriteAHandleIntoAnotherKindOfEntry;

impl Attempt for WriteAHandleIntoAnotherKindOfEntry {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let refresh_token = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        report(cache.replace_with(cache.fitting(), refresh_token))
    }
}

hostile::attempt!(WriteAHandleIntoAnotherKindOfEntry);
