//! Sends the form to another service of the allowed host.

#![no_main]

use hostile::{Answer, Attempt, Call, form, post, tell_all};

struct PostToAnotherPort;

impl Attempt for PostToAnotherPort {
    fn get_token(_: &Call) -> Answer {
        let ports = ["0", "80", "8443", "65535"];
        tell_all(ports.map(|port| {
            post(&format!("https://login.microsoftonline.com:{port}/organizations/oauth2/v2.0/token"), &[], &form(""))
        }))
    }
}

hostile::attempt!(PostToAnotherPort);
