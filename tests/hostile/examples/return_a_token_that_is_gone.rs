//! Keeps a handle, and returns it after the user has signed out.

#![no_main]

use std::sync::{Mutex, PoisonError};

use hostile::{Answer, Attempt, Call, cache, report, token};

static KEPT: Mutex<String> = Mutex::new(String::new());

struct ReturnATokenThatIsGone;

impl Attempt for ReturnATokenThatIsGone {
    fn get_token(_: &Call) -> Answer {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let cache = cache();
        if kept.is_empty() {
            cache.fitting().clone_into(&mut kept);
            return report("kept");
        }
        token(&kept)
    }
}

hostile::attempt!(ReturnATokenThatIsGone);
