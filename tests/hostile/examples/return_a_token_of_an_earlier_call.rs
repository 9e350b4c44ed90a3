//! Keeps a handle, and returns it after the user has signed out, without reading the cache again.

#![no_main]

use std::sync::{Mutex, PoisonError};

use hostile::{Answer, Attempt, Call, cache, report, token};

static KEPT: Mutex<String> = Mutex::new(String::new());

struct ReturnATokenOfAnEarlierCall;

impl Attempt for ReturnATokenOfAnEarlierCall {
    fn get_token(_: &Call) -> Answer {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_empty() {
            cache().fitting().clone_into(&mut kept);
            return report("kept");
        }
        token(&kept)
    }
}

hostile::attempt!(ReturnATokenOfAnEarlierCall);
