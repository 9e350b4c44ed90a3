//! Returns a token for a resource that the caller did not name.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnAnAccessTokenOfAnotherScope;

impl Attempt for ReturnAnAccessTokenOfAnotherScope {
    fn get_token(_: &Call) -> Answer {
        token(cache().handle(&["AccessToken", "uid-0", "graph.microsoft.com"]))
    }
}

hostile::attempt!(ReturnAnAccessTokenOfAnotherScope);
