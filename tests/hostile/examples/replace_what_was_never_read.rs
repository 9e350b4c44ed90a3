//! Overwrites the granted cache without having read it, guessing its version.

#![no_main]

use hostile::wit::cache_file;
use hostile::{Answer, Attempt, Call, DOCUMENT, tell_all};

struct ReplaceWhatWasNeverRead;

impl Attempt for ReplaceWhatWasNeverRead {
    fn get_token(_: &Call) -> Answer {
        tell_all(["", "0", "1", "latest"].map(|version| cache_file::replace(DOCUMENT, version, "{}")))
    }
}

hostile::attempt!(ReplaceWhatWasNeverRead);
