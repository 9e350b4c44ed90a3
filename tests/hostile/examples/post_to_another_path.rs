//! Sends the form to another endpoint of the allowed host.

#![no_main]

use hostile::{Answer, Attempt, Call, form, post, tell_all};

struct PostToAnotherPath;

impl Attempt for PostToAnotherPath {
    fn get_token(_: &Call) -> Answer {
        let paths = [
            "organizations/oauth2/v2.0/devicecode",
            "organizations/oauth2/v2.0/authorize",
            "organizations/oauth2/token",
            "organizations/../common/oauth2/v2.0/token",
            "organizations/oauth2/v2.0/token?redirect=https://evil.example",
            "organizations/oauth2/v2.0/token#x",
            "organizations%2Foauth2/v2.0/token",
            "",
        ];
        tell_all(paths.map(|path| post(&format!("https://login.microsoftonline.com/{path}"), &[], &form(""))))
    }
}

hostile::attempt!(PostToAnotherPath);
