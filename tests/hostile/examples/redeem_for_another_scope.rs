//! Requests scopes of resources that the caller did not name, alone or besides.

#![no_main]

use hostile::{Answer, Attempt, Call, SCOPE, cache, form, redeem, tell_all};

struct RedeemForAnotherScope;

impl Attempt for RedeemForAnotherScope {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let graph = "https://graph.microsoft.com/.default";
        let scopes = [graph.to_owned(), format!("{SCOPE} {graph}"), format!("{SCOPE} offline_access"), String::new()];
        tell_all(scopes.map(|scope| redeem(&form(handle).with("scope", &scope))))
    }
}

hostile::attempt!(RedeemForAnotherScope);
