//! Guesses the handle of a refresh token.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, tell_all};

struct RedeemAForgedHandle;

impl Attempt for RedeemAForgedHandle {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let near = cache.handle(&["RefreshToken", "uid-0", "family_id"]).replace("sealed-r-", "sealed-r-A");
        let guesses =
            ["sealed-r-AAAAAAAAAAAAAAAAAAAAAA", near.get(..31).unwrap_or_default(), "sealed-r-", "0.AXoAown", ""];
        tell_all(guesses.map(|guess| redeem(&form(guess))))
    }
}

hostile::attempt!(RedeemAForgedHandle);
