//! Signs an attacker in beside the user: an entry with a refresh token that the cache never had.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct WriteAnEntryOfItsOwn;

impl Attempt for WriteAnEntryOfItsOwn {
    fn get_token(_: &Call) -> Answer {
        let entry = r#""RefreshToken":{"x":{"credential_type":"RefreshToken","secret":"0.AXoAattackers-own",
    "home_account_id":"uid-6.utid-6","environment":"login.microsoftonline.com","client_id":"other-client"},"#;
        report(cache().replace_with(r#""RefreshToken":{"#, entry))
    }
}

hostile::attempt!(WriteAnEntryOfItsOwn);
