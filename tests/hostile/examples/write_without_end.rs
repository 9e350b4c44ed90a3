//! Writes the same cache in an endless loop, to keep other programs from writing.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct WriteWithoutEnd;

impl Attempt for WriteWithoutEnd {
    fn get_token(_: &Call) -> Answer {
        let mut cache = cache();
        loop {
            let text = cache.text.clone();
            let written = if cache.is_paid { cache.replace_unpaid(&text) } else { cache.replace(&text) };
            cache.is_paid = true;
            match written {
                Ok(version) => cache.version = version,
                refused => return report(refused),
            }
        }
    }
}

hostile::attempt!(WriteWithoutEnd);
