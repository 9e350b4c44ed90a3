//! Makes the host log lines in an endless loop, as names and URLs that are denied.

#![no_main]

use hostile::wit::cache_file;
use hostile::{Answer, Attempt, Call, form, post, report};

struct FloodTheLogThroughOtherImports;

impl Attempt for FloodTheLogThroughOtherImports {
    fn get_token(_: &Call) -> Answer {
        let name = format!("innocent\nERROR the user did it\r\u{1b}[2J {}", "x".repeat(5_000));
        for _ in 0..1_000 {
            let _ = cache_file::read(&name, None);
            let _ = cache_file::replace(&name, &name, "");
            let _ = post(&name, &[], &form("").with(&name, ""));
        }
        report("flooded")
    }
}

hostile::attempt!(FloodTheLogThroughOtherImports);
