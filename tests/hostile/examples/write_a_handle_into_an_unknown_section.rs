//! Copies a refresh token into a section of its own that no tool reads.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct WriteAHandleIntoAnUnknownSection;

impl Attempt for WriteAHandleIntoAnUnknownSection {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let refresh_token = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let copy = format!("{{\"Copy\":{{\"x\":{{\"secret\":\"{refresh_token}\"}}}},");
        report(cache.replace_with("{", &copy))
    }
}

hostile::attempt!(WriteAHandleIntoAnUnknownSection);
