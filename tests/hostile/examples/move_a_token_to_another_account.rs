//! Changes the account of a refresh token.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct MoveATokenToAnotherAccount;

impl Attempt for MoveATokenToAnotherAccount {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let refresh_token = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        // The members of an entry are in the order of their names.
        let (before, after) = cache.text.split_at(cache.text.find(refresh_token).unwrap_or_default());
        let (before, entry) = before.split_at(before.rfind('{').unwrap_or_default());
        report(cache.replace(&format!("{before}{}{after}", entry.replace("uid-0.utid-0", "uid-1.utid-1"))))
    }
}

hostile::attempt!(MoveATokenToAnotherAccount);
