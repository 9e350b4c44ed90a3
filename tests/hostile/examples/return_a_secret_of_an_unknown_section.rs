//! Returns a secret of an unknown section.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnASecretOfAnUnknownSection;

impl Attempt for ReturnASecretOfAnUnknownSection {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["\"name\":"]))
    }
}

hostile::attempt!(ReturnASecretOfAnUnknownSection);
