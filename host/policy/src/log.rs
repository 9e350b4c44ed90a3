use std::fmt;
use std::str::FromStr;

use crate::InvalidValue;

/// How much of what a component says is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRules {
    /// The most detailed lines that are taken. Default: warnings.
    pub component: LogLevel,
    /// How many lines of one call are taken. Default: 100.
    pub lines_per_call: usize,
    /// How many bytes of a line are taken. Default: 2,000.
    pub line_bytes: usize,
}

impl Default for LogRules {
    fn default() -> Self {
        Self { component: LogLevel::Warn, lines_per_call: 100, line_bytes: 2_000 }
    }
}

/// The levels at which a component can log, and none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What a person should know.
    Warn,
    /// What happened.
    Info,
    /// How it happened.
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
