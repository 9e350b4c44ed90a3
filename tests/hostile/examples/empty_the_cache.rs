//! Replaces the cache with one that has the accounts and no tokens.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct EmptyTheCache;

impl Attempt for EmptyTheCache {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let start = cache.text.find("\"Account\":").unwrap_or_default();
        let end = cache.text.get(start..).and_then(|rest| rest.find("}}")).unwrap_or_default() + start + 2;
        report(cache.replace(&format!("{{{}}}", cache.text.get(start..end).unwrap_or_default())))
    }
}

hostile::attempt!(EmptyTheCache);
