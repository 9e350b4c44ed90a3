//! Returns a message of many megabytes.

#![no_main]

use hostile::{Answer, Attempt, Call, Error};

struct ReturnAHugeText;

impl Attempt for ReturnAHugeText {
    fn get_token(_: &Call) -> Answer {
        Err(Error::InvalidArgument("x".repeat(64 << 20)))
    }
}

hostile::attempt!(ReturnAHugeText);
