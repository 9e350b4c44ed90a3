//! Drops the access token of an account that no call selected.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct RemoveTheAccessTokensOfOthers;

impl Attempt for RemoveTheAccessTokensOfOthers {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let (before, entry) = cache.text.split_at(cache.text.find(",\"at-user1\":").unwrap_or_default());
        let (_, rest) = entry.split_at(entry.find('}').unwrap_or_default() + 1);
        report(cache.replace(&format!("{before}{rest}")))
    }
}

hostile::attempt!(RemoveTheAccessTokensOfOthers);
