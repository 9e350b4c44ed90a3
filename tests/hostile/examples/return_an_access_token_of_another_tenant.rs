//! Returns a token of a tenant that the caller did not name.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnAnAccessTokenOfAnotherTenant;

impl Attempt for ReturnAnAccessTokenOfAnotherTenant {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["AccessToken", "uid-0", "fabrikam.com"]))
    }
}

hostile::attempt!(ReturnAnAccessTokenOfAnotherTenant);
