//! Writes entries without a secret, which readers hand out as an empty token, or crash on.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell_all};

struct WriteTokensWithoutASecret;

impl Attempt for WriteTokensWithoutASecret {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let refresh_token = cache.handle(&["RefreshToken", "uid-0", "family_id"]).to_owned();
        tell_all([
            cache.replace_with(&refresh_token, ""),
            cache.replace_with(&format!("\"{refresh_token}\""), "null"),
            cache.replace_with(cache.fitting(), ""),
        ])
    }
}

hostile::attempt!(WriteTokensWithoutASecret);
