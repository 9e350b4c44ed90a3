//! Puts a byte order mark in front, on which MSAL for Python fails.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct WriteAByteOrderMark;

impl Attempt for WriteAByteOrderMark {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        report(cache.replace(&format!("\u{feff}{}", cache.text)))
    }
}

hostile::attempt!(WriteAByteOrderMark);
