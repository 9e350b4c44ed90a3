//! Uses the token endpoint for another grant than the redemption of a refresh token.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, tell_all};

struct AskForAnotherGrant;

impl Attempt for AskForAnotherGrant {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let grants =
            ["password", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code", "Refresh_Token"];
        tell_all(grants.map(|grant| redeem(&form(handle).with("grant_type", grant))))
    }
}

hostile::attempt!(AskForAnotherGrant);
