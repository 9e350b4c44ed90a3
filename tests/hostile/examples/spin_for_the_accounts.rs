//! Computes and never ends, when asked for the accounts.

#![no_main]

use hostile::{Answer, Attempt, CachedAccount, Call, Error, spin, tell};

struct SpinForTheAccounts;

impl Attempt for SpinForTheAccounts {
    fn get_token(_: &Call) -> Answer {
        tell("nothing")
    }

    fn accounts() -> Result<Vec<CachedAccount>, Error> {
        spin()
    }
}

hostile::attempt!(SpinForTheAccounts);
