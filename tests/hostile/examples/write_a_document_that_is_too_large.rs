//! Fills the disk through the cache.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell};

struct WriteADocumentThatIsTooLarge;

impl Attempt for WriteADocumentThatIsTooLarge {
    fn get_token(_: &Call) -> Answer {
        tell(cache().replace(&" ".repeat(65 << 10)))
    }
}

hostile::attempt!(WriteADocumentThatIsTooLarge);
