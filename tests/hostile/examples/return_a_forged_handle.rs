//! Returns made-up handles: here a real one with another last character.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct ReturnAForgedHandle;

impl Attempt for ReturnAForgedHandle {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let handle = cache.fitting();
        let (rest, last) = handle.split_at(handle.len() - 1);
        // Only the upper two bits of the last character count, so some characters are equivalent.
        let other = if "ABCDEFGHIJKLMNOP".contains(last) { 'g' } else { 'A' };
        token(&format!("{rest}{other}"))
    }
}

hostile::attempt!(ReturnAForgedHandle);
