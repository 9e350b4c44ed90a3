//! Fills the disk through the cache.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct WriteADocumentThatIsTooLarge;

impl Attempt for WriteADocumentThatIsTooLarge {
    fn get_token(_: &Call) -> Answer {
        report(cache().replace(&" ".repeat(65 << 10)))
    }
}

hostile::attempt!(WriteADocumentThatIsTooLarge);
