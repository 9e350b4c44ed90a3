//! Returns a token of the second account in a call that selects no account.

#![no_main]

use hostile::{Answer, Attempt, Call, SCOPE, cache, token};

struct ChooseAnAccount;

impl Attempt for ChooseAnAccount {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["AccessToken", "uid-1", SCOPE, "Bearer"]))
    }
}

hostile::attempt!(ChooseAnAccount);
