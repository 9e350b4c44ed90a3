//! Reads the cache again and again and drops what it gets.

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
