//! Returns a token in which a line break begins another header field.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnAnAccessTokenWithALineBreak;

impl Attempt for ReturnAnAccessTokenWithALineBreak {
    fn get_token(_: &Call) -> Answer {
        // The sealed text is not a valid token, but contains a handle all the same.
        token(cache().handle(&["AccessToken", "a-line-break"]).trim_end_matches("\\ud800"))
    }
}

hostile::attempt!(ReturnAnAccessTokenWithALineBreak);
