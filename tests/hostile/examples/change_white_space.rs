//! Writes the same cache in another layout.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell_all};

struct ChangeWhiteSpace;

impl Attempt for ChangeWhiteSpace {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        tell_all([
            cache.replace(&format!("{}\n", cache.text)),
            cache.replace_with("\"Stash\":", " \"Stash\":"),
            cache.replace_with("},\"Stash\"", "} ,\"Stash\""),
            cache.replace_with("\"rt-user1\":{", "\"rt-user1\": {"),
        ])
    }
}

hostile::attempt!(ChangeWhiteSpace);
