//! Deletes a refresh token that the authority has just accepted.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct DropARefreshTokenThatLives;

impl Attempt for DropARefreshTokenThatLives {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let start = cache.text.find("\"rt-user0\":").unwrap_or_default();
        let (before, entry) = cache.text.split_at(start);
        let end = entry.find("\"rt-user0-client\":").unwrap_or_default();
        let without = format!("{before}{}", entry.split_at(end).1);
        report(cache.replace(&without))
    }
}

hostile::attempt!(DropARefreshTokenThatLives);
