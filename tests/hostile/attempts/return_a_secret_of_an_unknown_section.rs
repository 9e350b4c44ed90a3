//! Returns a secret that nobody knows the meaning of.

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnASecretOfAnUnknownSection;

impl Attempt for ReturnASecretOfAnUnknownSection {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["\"name\":"]))
    }
}

hostile::attempt!(ReturnASecretOfAnUnknownSection);
