//! Lines on standard error.

use wasi::cli::stderr::get_stderr;

use crate::settings::{self, LogLevel};

/// The longest line. Legitimate messages are shorter.
const LONGEST_LINE: usize = 2_000;

/// Logs a warning of the adapter.
pub(crate) fn warn(message: &str) {
    write(LogLevel::Warn, "warning", message);
}

/// Writes one line, if its level is enabled. A host without standard error drops it.
pub(crate) fn write(level: LogLevel, name: &str, message: &str) {
    // With invalid settings, all levels are enabled.
    if settings::read().is_ok_and(|settings| level < settings.log) {
        return;
    }
    let message: String = message.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let mut line = format!("shared-token-cache: {name}: {message}");
    line.truncate(line.floor_char_boundary(LONGEST_LINE));
    line.push('\n');
    let _ = get_stderr().blocking_write_and_flush(line.as_bytes());
}
