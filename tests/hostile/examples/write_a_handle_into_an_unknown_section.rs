//! Copies a refresh token into a section of its own that no tool reads.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell};

struct WriteAHandleIntoAnUnknownSection;

impl Attempt for WriteAHandleIntoAnUnknownSection {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let refresh_token = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let copy = format!("{{\"Copy\":{{\"x\":{{\"secret\":\"{refresh_token}\"}}}},");
        tell(cache.replace_with("{", &copy))
    }
}

hostile::attempt!(WriteAHandleIntoAnUnknownSection);
