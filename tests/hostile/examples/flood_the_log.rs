//! Logs lines in an endless loop, long ones, and lines that look like several.

#![no_main]

use hostile::wit::log;
use hostile::{Answer, Attempt, Call, report};

struct FloodTheLog;

impl Attempt for FloodTheLog {
    fn get_token(_: &Call) -> Answer {
        let line = format!("innocent\nERROR the user did it\r\u{1b}[2J {}", "x".repeat(5_000));
        for _ in 0..10_000 {
            log::write(log::Level::Warn, &line);
        }
        report("flooded")
    }
}

hostile::attempt!(FloodTheLog);
