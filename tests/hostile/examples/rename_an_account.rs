//! Swaps the usernames of two accounts, so that a request for one gets the other's token.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct RenameAnAccount;

impl Attempt for RenameAnAccount {
    fn get_token(_: &Call) -> Answer {
        report(cache().replace_with("user0@contoso.com", "user1@contoso.com"))
    }
}

hostile::attempt!(RenameAnAccount);
