//! Writes sections and entries of other types, on which readers crash.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell_all};

struct WriteSectionsOfAnotherType;

impl Attempt for WriteSectionsOfAnotherType {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        tell_all([
            cache.add("\"AppMetadata\":7"),
            cache.add("\"AppMetadata\":{\"x\":7}"),
            cache.replace_with("\"IdToken\":{", "\"IdToken\":7,\"Old\":{"),
            cache.replace_with("\"RefreshToken\":{", "\"RefreshToken\":null,\"Old\":{"),
            cache.replace_with("\"AccessToken\":{", "\"AccessToken\":{\"x\":7,"),
        ])
    }
}

hostile::attempt!(WriteSectionsOfAnotherType);
