use wasi::cli::stderr::get_stderr;

use crate::Adapter;
use crate::settings::{LogLevel, settings};
use crate::wit::log::{Guest, Level};

/// As long as a line may get; a component has no more to say than that.
const LONGEST_LINE: usize = 2_000;

impl Guest for Adapter {
    fn write(level: Level, message: String) {
        let (level, name) = match level {
            Level::Debug => (LogLevel::Debug, "debug"),
            Level::Info => (LogLevel::Info, "info"),
            Level::Warn => (LogLevel::Warn, "warning"),
        };
        write(level, name, &message);
    }
}

/// A warning of the adapter's own.
pub(crate) fn warn(message: &str) {
    write(LogLevel::Warn, "warning", message);
}

/// One line on standard error, if the settings want to see it. A host without one loses the line and nothing else.
fn write(level: LogLevel, name: &str, message: &str) {
    // With settings that are no good, everything is of interest.
    if settings().is_ok_and(|settings| level < settings.log) {
        return;
    }
    let message: String = message.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let mut line = format!("shared-token-cache: {name}: {message}");
    line.truncate(line.floor_char_boundary(LONGEST_LINE));
    line.push('\n');
    let _ = get_stderr().blocking_write_and_flush(line.as_bytes());
}
