//! Changes and drops another tool's data in the cache.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell_all};

struct ChangeAnUnknownSection;

impl Attempt for ChangeAnUnknownSection {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        tell_all([
            cache.replace_with("\"Stash\":{\"x\":", "\"Stash\":{\"y\":"),
            cache.replace_with("\"Stash\":", "\"Trash\":"),
            cache.add("\"Stash2\":{}"),
        ])
    }
}

hostile::attempt!(ChangeAnUnknownSection);
