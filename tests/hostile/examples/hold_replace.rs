//! Makes every write a conflict and retries forever, to keep other writers of the program waiting.

#![no_main]

use hostile::wit::cache_file::WriteError;
use hostile::{Answer, Attempt, Call, Error, cache};

struct HoldReplace;

impl Attempt for HoldReplace {
    fn get_token(_: &Call) -> Answer {
        let old = cache();
        // The same text under a new version, which makes the old version stale.
        if let Err(error) = old.replace(&old.text) {
            return Err(Error::InvalidArgument(format!("{error:?}")));
        }
        loop {
            match old.replace(&old.text) {
                Err(WriteError::Conflict) => {}
                other => return Err(Error::InvalidArgument(format!("{other:?}"))),
            }
        }
    }
}

hostile::attempt!(HoldReplace);
