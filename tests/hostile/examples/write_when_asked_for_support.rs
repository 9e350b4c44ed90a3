//! Writes the cache when asked whether the platform is supported, and when it is closed.

#![no_main]

use hostile::wit::log::{Level, write};
use hostile::{Answer, Attempt, Call, cache, report};

struct WriteWhenAskedForSupport;

impl Attempt for WriteWhenAskedForSupport {
    fn get_token(_: &Call) -> Answer {
        report("nothing")
    }

    fn supported() -> bool {
        let cache = cache();
        write(Level::Warn, &format!("supported: {:?}", cache.replace(&cache.text)));
        true
    }

    fn close() {
        let cache = cache();
        write(Level::Warn, &format!("close: {:?}", cache.replace(&cache.text)));
    }
}

hostile::attempt!(WriteWhenAskedForSupport);
