//! Allocates memory without end.

#![no_main]

use hostile::{Answer, Attempt, Call};

struct Allocate;

impl Attempt for Allocate {
    fn get_token(_: &Call) -> Answer {
        let mut held: Vec<Vec<u8>> = Vec::new();
        loop {
            held.push(std::hint::black_box(vec![1; 1 << 20]));
        }
    }
}

hostile::attempt!(Allocate);
