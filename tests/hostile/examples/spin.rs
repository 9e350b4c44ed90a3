//! Runs an endless loop.

#![no_main]

use hostile::{Answer, Attempt, Call, spin};

struct Spin;

impl Attempt for Spin {
    fn get_token(_: &Call) -> Answer {
        spin()
    }
}

hostile::attempt!(Spin);
