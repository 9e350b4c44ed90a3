//! Sets header fields that only the host may set.

#![no_main]

use hostile::{Answer, Attempt, Call, ENDPOINT, cache, form, post, tell_all};

struct SetAHeaderOfTheHost;

impl Attempt for SetAHeaderOfTheHost {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.handle(&["RefreshToken", "uid-0", "family_id"]);
        let fields = [
            ("Authorization", "Bearer x"),
            ("Cookie", "x"),
            ("Host", "evil.example"),
            ("x-client-sku", "a\r\nHost: evil.example"),
            ("Content-Length", "0"),
            ("Transfer-Encoding", "chunked"),
        ];
        tell_all(fields.map(|field| post(ENDPOINT, &[field], &form(handle))))
    }
}

hostile::attempt!(SetAHeaderOfTheHost);
