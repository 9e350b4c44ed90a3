//! Replaces the cache with something that no reader can parse.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell_all};

struct WriteWhatIsNoCache;

impl Attempt for WriteWhatIsNoCache {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        tell_all(["[]", "null", "{", "{\"AccessToken\":{}} x", "PK\u{3}\u{4}"].map(|text| cache.replace(text)))
    }
}

hostile::attempt!(WriteWhatIsNoCache);
