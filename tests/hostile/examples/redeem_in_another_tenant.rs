//! Requests tokens from tenants that the caller did not name.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, post, tell_all};

struct RedeemInAnotherTenant;

impl Attempt for RedeemInAnotherTenant {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let tenants = ["fabrikam.com", "common", "consumers", "utid-1"];
        tell_all(tenants.map(|tenant| {
            post(&format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"), &[], &form(handle))
        }))
    }
}

hostile::attempt!(RedeemInAnotherTenant);
