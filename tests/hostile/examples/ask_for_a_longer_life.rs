//! Sends claims in a call that has none: a token under Continuous Access Evaluation lives for a
//! day.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, form, redeem, tell_all};

struct AskForALongerLife;

impl Attempt for AskForALongerLife {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let claims = ["{\"access_token\":{\"xms_cc\":{\"values\":[\"CP1\"]}}}", "{}", "", "null"];
        tell_all(claims.map(|claims| redeem(&form(handle).with("claims", claims))))
    }
}

hostile::attempt!(AskForALongerLife);
