//! Sends a form larger than any token request.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, report};

struct SendAFile;

impl Attempt for SendAFile {
    fn get_token(_: &Call) -> Answer {
        let form = form(cache().handle(&["RefreshToken", "uid-0", "family_id"]));
        report(redeem(&form.with("claims", &"x".repeat(256 << 10))))
    }
}

hostile::attempt!(SendAFile);
