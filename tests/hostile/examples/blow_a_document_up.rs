//! Makes the cache so large that other tools give up on it.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell_all};

struct BlowADocumentUp;

impl Attempt for BlowADocumentUp {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let much = "x".repeat(1 << 20);
        tell_all([
            cache.add(&format!("\"x\":\"{much}\"")),
            cache.replace(&format!("{}{}", cache.text, " ".repeat(1 << 20))),
            cache.replace_with("\"token_type\":\"Bearer\"", &format!("\"token_type\":\"{much}\"")),
        ])
    }
}

hostile::attempt!(BlowADocumentUp);
