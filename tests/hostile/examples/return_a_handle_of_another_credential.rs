//! Returns a handle that another credential on the same cache was given, which its caller passes on.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnAHandleOfAnotherCredential;

impl Attempt for ReturnAHandleOfAnotherCredential {
    fn get_token(call: &Call) -> Answer {
        cache();
        token(call.scopes.get(1).map_or("", String::as_str))
    }
}

hostile::attempt!(ReturnAHandleOfAnotherCredential);
