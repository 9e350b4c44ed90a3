//! Swaps two entries, for readers that take the first.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct ReorderTheCache;

impl Attempt for ReorderTheCache {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let at = |name: &str| cache.text.find(&format!("\"{name}\":{{")).unwrap_or_default();
        let (first, second) = cache.text.split_at(at("id-user0")).1.split_at(at("id-user1") - at("id-user0"));
        let end = second.find('}').unwrap_or_default() + 1;
        let (second, rest) = second.split_at(end);
        let before = cache.text.split_at(at("id-user0")).0;
        report(cache.replace(&format!("{before}{second},{}{rest}", first.trim_end_matches(','))))
    }
}

hostile::attempt!(ReorderTheCache);
