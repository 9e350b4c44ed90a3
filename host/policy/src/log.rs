use std::fmt;
use std::str::FromStr;

use crate::InvalidValue;

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

impl FromStr for LogLevel {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "off" => Ok(Self::Off),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            other => {
                let what = format!("{other:?} is not a level of a component");
                Err(InvalidValue::new(what, "choose `off`, `warn`, `info` or `debug`"))
            }
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}
