//! Recurses without end.

#![no_main]

use hostile::{Answer, Attempt, Call, report};

fn deeper(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let frame = std::hint::black_box([depth; 64]);
    deeper(depth + 1) + frame.iter().sum::<u64>()
}

struct Recurse;

impl Attempt for Recurse {
    fn get_token(_: &Call) -> Answer {
        report(deeper(1))
    }
}

hostile::attempt!(Recurse);
