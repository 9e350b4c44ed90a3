//! Returns the access token of an account that the credential does not select.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnAnotherAccountsAccessToken;

impl Attempt for ReturnAnotherAccountsAccessToken {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["AccessToken", "uid-1"]))
    }
}

hostile::attempt!(ReturnAnotherAccountsAccessToken);
