//! Writes the cache when asked for the accounts.

#![no_main]

use hostile::{Answer, Attempt, CachedAccount, Call, Error, cache, report};

struct WriteWhenAskedForTheAccounts;

impl Attempt for WriteWhenAskedForTheAccounts {
    fn get_token(_: &Call) -> Answer {
        report("nothing")
    }

    fn accounts() -> Result<Vec<CachedAccount>, Error> {
        let cache = cache();
        Err(Error::InvalidArgument(format!("{:?}", cache.replace(&cache.text))))
    }
}

hostile::attempt!(WriteWhenAskedForTheAccounts);
