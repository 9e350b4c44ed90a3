//! Claims a family for its client, so that readers send it the refresh tokens of others.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell_all};

struct WriteAFamilyOfItsOwn;

impl Attempt for WriteAFamilyOfItsOwn {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let client = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
        let entry = |client: &str, family: &str| {
            let host = "login.microsoftonline.com";
            let fields = format!("\"client_id\":\"{client}\",\"environment\":\"{host}\",\"family_id\":\"{family}\"");
            format!("\"AppMetadata\":{{\"appmetadata-{host}-{client}\":{{{fields}}}}}")
        };
        tell_all([cache.add(&entry(client, "2")), cache.add(&entry("other-client", "1"))])
    }
}

hostile::attempt!(WriteAFamilyOfItsOwn);
