//! Runs an endless loop in a call for the accounts.

#![no_main]

use hostile::{Answer, Attempt, CachedAccount, Call, Error, report, spin};

struct SpinForTheAccounts;

impl Attempt for SpinForTheAccounts {
    fn get_token(_: &Call) -> Answer {
        report("nothing")
    }

    fn accounts() -> Result<Vec<CachedAccount>, Error> {
        spin()
    }
}

hostile::attempt!(SpinForTheAccounts);
