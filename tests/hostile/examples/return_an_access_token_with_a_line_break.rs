//! Returns a token in which a line break begins another header field.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnAnAccessTokenWithALineBreak;

impl Attempt for ReturnAnAccessTokenWithALineBreak {
    fn get_token(_: &Call) -> Answer {
        // What stands for it is broken text, in which a handle is all the same.
        token(cache().handle(&["AccessToken", "a-line-break"]).trim_end_matches("\\ud800"))
    }
}

hostile::attempt!(ReturnAnAccessTokenWithALineBreak);
