//! Adds an empty entry under the key of a refresh token, so that readers find its account signed
//! out.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct WriteAnEntryTwice;

impl Attempt for WriteAnEntryTwice {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let text = cache.text.replacen("\"rt-user1\":{", "\"rt-user1\":{},\"rt-user1\":{", 1);
        report(cache.replace(&text))
    }
}

hostile::attempt!(WriteAnEntryTwice);
