//! Returns a token of the second account in a call that does not say which account it is for.

#![no_main]

use hostile::{Answer, Attempt, Call, SCOPE, cache, token};

struct ChooseAnAccount;

impl Attempt for ChooseAnAccount {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["AccessToken", "uid-1", SCOPE, "Bearer"]))
    }
}

hostile::attempt!(ChooseAnAccount);
