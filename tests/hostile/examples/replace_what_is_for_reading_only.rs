//! Writes back a cache that was granted for reading, exactly as it was read.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct ReplaceWhatIsForReadingOnly;

impl Attempt for ReplaceWhatIsForReadingOnly {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        report(cache.replace(&cache.text))
    }
}

hostile::attempt!(ReplaceWhatIsForReadingOnly);
