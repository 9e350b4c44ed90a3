//! Adds form fields that turn it into another request.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, tell_all};

struct AddAFieldToAForm;

impl Attempt for AddAFieldToAForm {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let fields =
            ["username", "password", "client_secret", "client_assertion", "assertion", "device_code", "req_cnf"];
        tell_all(fields.map(|field| redeem(&form(handle).with(field, "x"))))
    }
}

hostile::attempt!(AddAFieldToAForm);
