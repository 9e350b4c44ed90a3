use crate::words::words;

/// Limits on a component's log lines.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRules {
    /// The most detailed level that is logged. Default: warnings.
    pub component: LogLevel,
    /// The limit on lines per call. Default: 100.
    pub lines_per_call: usize,
    /// Lines are truncated to this many bytes. Default: 2,000.
    pub line_bytes: usize,
}

impl Default for LogRules {
    fn default() -> Self {
        Self { component: LogLevel::Warn, lines_per_call: 100, line_bytes: 2_000 }
    }
}

/// The levels of a component's log lines, and `Off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// No lines.
    Off,
    /// Problems that a user should see.
    Warn,
    /// Events.
    Info,
    /// Details of events.
    Debug,
}

words!(
    LogLevel,
    "is not a level of a component",
    "choose `off`, `warn`, `info` or `debug`",
    "off" => Off,
    "warn" => Warn,
    "info" => Info,
    "debug" => Debug
);
