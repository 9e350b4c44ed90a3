//! Sends the client id of another application, for its permissions.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, report};

struct RedeemAsAnotherClient;

impl Attempt for RedeemAsAnotherClient {
    fn get_token(_: &Call) -> Answer {
        let form = form(cache().handle(&["RefreshToken", "uid-0", "family_id"]));
        report(redeem(&form.with("client_id", "other-client")))
    }
}

hostile::attempt!(RedeemAsAnotherClient);
