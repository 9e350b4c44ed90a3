//! Reads the cache in an endless loop and drops the result.

#![no_main]

use hostile::{Answer, Attempt, Call, cache};

struct ReadForEver;

impl Attempt for ReadForEver {
    fn get_token(_: &Call) -> Answer {
        loop {
            std::hint::black_box(cache());
        }
    }
}

hostile::attempt!(ReadForEver);
