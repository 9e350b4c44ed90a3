//! Overwrites a cache that was not granted.

#![no_main]

use hostile::wit::cache_file;
use hostile::{Answer, Attempt, Call, report};

struct ReplaceAnotherCache;

impl Attempt for ReplaceAnotherCache {
    fn get_token(_: &Call) -> Answer {
        report(cache_file::replace("other.cache.nocae", "", "{}"))
    }
}

hostile::attempt!(ReplaceAnotherCache);
