//! Traps.

#![no_main]

use hostile::{Answer, Attempt, Call};

struct Trap;

impl Attempt for Trap {
    fn get_token(_: &Call) -> Answer {
        std::process::abort()
    }
}

hostile::attempt!(Trap);
