//! Sends the form over an unencrypted protocol, which every machine on the way can read.

#![no_main]

use hostile::{Answer, Attempt, Call, form, post, tell_all};

struct PostInPlainText;

impl Attempt for PostInPlainText {
    fn get_token(_: &Call) -> Answer {
        let schemes = ["http", "ftp", "file", "ws"];
        tell_all(schemes.map(|scheme| {
            post(&format!("{scheme}://login.microsoftonline.com/organizations/oauth2/v2.0/token"), &[], &form(""))
        }))
    }
}

hostile::attempt!(PostInPlainText);
