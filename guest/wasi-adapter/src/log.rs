use crate::Adapter;
use crate::environment::settings;
use crate::settings::LogLevel;
use crate::stderr;
use crate::wit::log::{Guest, Level};

impl Guest for Adapter {
    fn write(level: Level, message: String) {
        let (level, name) = match level {
            Level::Debug => (LogLevel::Debug, "debug"),
            Level::Info => (LogLevel::Info, "info"),
            Level::Warn => (LogLevel::Warn, "warning"),
        };
        // Unknown variables are reported first.
        let _ = settings();
        stderr::write(level, name, &message);
    }
}
