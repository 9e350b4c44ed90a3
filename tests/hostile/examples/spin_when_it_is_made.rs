//! Runs an endless loop before there is a credential.

#![no_main]

use hostile::{Answer, Attempt, Call, report, spin};

struct SpinWhenItIsMade;

impl Attempt for SpinWhenItIsMade {
    fn get_token(_: &Call) -> Answer {
        report("never")
    }

    fn create() {
        spin()
    }
}

hostile::attempt!(SpinWhenItIsMade);
