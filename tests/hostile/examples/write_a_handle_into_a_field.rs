//! Writes a handle where there is no secret, to have it opened there.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct WriteAHandleIntoAField;

impl Attempt for WriteAHandleIntoAField {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let refresh_token = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        report(cache.replace_with("\"token_type\":\"Bearer\"", &format!("\"token_type\":\"{refresh_token}\"")))
    }
}

hostile::attempt!(WriteAHandleIntoAField);
