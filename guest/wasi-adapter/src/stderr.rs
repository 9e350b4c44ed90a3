//! Lines on standard error.

use wasi::cli::stderr::get_stderr;

use crate::settings::{self, LogLevel};

/// As long as a line may get; a component has no more to say than that.
const LONGEST_LINE: usize = 2_000;

/// A warning of the adapter's own.
pub(crate) fn warn(message: &str) {
    write(LogLevel::Warn, "warning", message);
}

/// One line, if the settings want to see it. A host without standard error loses the line and nothing else.
pub(crate) fn write(level: LogLevel, name: &str, message: &str) {
    // With settings that are no good, everything is of interest.
    if settings::read().is_ok_and(|settings| level < settings.log) {
        return;
    }
    let message: String = message.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let mut line = format!("shared-token-cache: {name}: {message}");
    line.truncate(line.floor_char_boundary(LONGEST_LINE));
    line.push('\n');
    let _ = get_stderr().blocking_write_and_flush(line.as_bytes());
}
