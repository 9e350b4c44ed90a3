//! Repeats a form field with another value: the host may check one and the authority take the
//! other.

#![no_main]

use hostile::{Answer, Attempt, Call, SCOPE, cache, form, redeem, tell_all};

struct RepeatAFieldOfAForm;

impl Attempt for RepeatAFieldOfAForm {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let fields =
            [("scope", SCOPE), ("client_info", "1"), ("refresh_token", handle), ("grant_type", "refresh_token")];
        tell_all(fields.map(|(name, value)| redeem(&form(handle).and(name, value))))
    }
}

hostile::attempt!(RepeatAFieldOfAForm);
