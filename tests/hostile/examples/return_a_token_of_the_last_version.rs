//! Keeps a handle, reads the cache again after another tool has removed the token, and still
//! returns it.

#![no_main]

use std::sync::{Mutex, PoisonError};

use hostile::{Answer, Attempt, Call, cache, report, token};

static KEPT: Mutex<String> = Mutex::new(String::new());

struct ReturnATokenOfTheLastVersion;

impl Attempt for ReturnATokenOfTheLastVersion {
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

hostile::attempt!(ReturnATokenOfTheLastVersion);
