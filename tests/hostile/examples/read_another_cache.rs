//! Reads a cache of the same source that was not granted.

#![no_main]

use hostile::wit::cache_file;
use hostile::{Answer, Attempt, Call, report};

struct ReadAnotherCache;

impl Attempt for ReadAnotherCache {
    fn get_token(_: &Call) -> Answer {
        report(cache_file::read("other.cache.nocae", None))
    }
}

hostile::attempt!(ReadAnotherCache);
