//! Redeems without the claims of the call, or with others, so that the token passes as the answer
//! to a challenge.

#![no_main]

use hostile::{Answer, Attempt, CLAIMS, Call, cache, form, redeem, tell_all};

struct PostAFormWithoutTheClaims;

impl Attempt for PostAFormWithoutTheClaims {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let inner = CLAIMS.trim_end_matches('}');
        let nested = format!("{inner},\"x\":1}}}}}}");
        let beside = format!("{inner}}},\"xms_cc\":{{\"values\":[\"CP1\"]}}}}}}");
        let others = ["", " ", "{}", "null", "{\"access_token\":{}}", &nested, &beside, &format!("{CLAIMS}{CLAIMS}")];
        let mut tries = vec![redeem(&form(handle))];
        tries.extend(others.map(|claims| redeem(&form(handle).with("claims", claims))));
        tell_all(tries)
    }
}

hostile::attempt!(PostAFormWithoutTheClaims);
