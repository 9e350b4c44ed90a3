//! Puts a refresh token into the URL as the tenant: many programs log URLs.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, post, report};

struct PutARefreshTokenIntoTheUrl;

impl Attempt for PutARefreshTokenIntoTheUrl {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        report(post(&format!("https://login.microsoftonline.com/{handle}/oauth2/v2.0/token"), &[], &form(handle)))
    }
}

hostile::attempt!(PutARefreshTokenIntoTheUrl);
