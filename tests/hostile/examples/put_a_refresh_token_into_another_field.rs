//! Puts a refresh token into fields that servers log, or repeat.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, tell_all};

struct PutARefreshTokenIntoAnotherField;

impl Attempt for PutARefreshTokenIntoAnotherField {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let fields = ["scope", "client_id", "client_info", "claims", "username", "grant_type", "redirect_uri", handle];
        tell_all(fields.map(|field| redeem(&form(handle).with(field, handle))))
    }
}

hostile::attempt!(PutARefreshTokenIntoAnotherField);
