//! Puts escape sequences, line breaks and bidirectional control characters into its error and into
//! the log, to forge what a person reads.

#![no_main]

use hostile::wit::log;
use hostile::{Answer, Attempt, Call, Error};

/// A terminal's escape sequences with one and with two bytes, line breaks of all kinds, bidirectional and invisible characters.
const TEXT: &str = "innocent\u{1b}[2J\r\n INFO all is well\u{7}\u{9b}31m\u{2028}\u{202e}\u{2066}\u{200b}\u{e0041}";

struct SpeakInEscapeSequences;

impl Attempt for SpeakInEscapeSequences {
    fn get_token(_: &Call) -> Answer {
        for level in [log::Level::Debug, log::Level::Info, log::Level::Warn] {
            log::write(level, TEXT);
        }
        Err(Error::InvalidArgument(TEXT.to_owned()))
    }
}

hostile::attempt!(SpeakInEscapeSequences);
