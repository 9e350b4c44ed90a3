use std::fmt;
use std::str::FromStr;

use crate::InvalidValue;

/// Whether the process may leave its memory behind when it crashes. The secrets of a call are in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CoreDumps {
    /// It does not, as far as the platform can be told.
    #[default]
    Deny,
    /// It does as the platform does.
    Allow,
}

impl FromStr for CoreDumps {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "deny" => Ok(Self::Deny),
            "allow" => Ok(Self::Allow),
            other => Err(InvalidValue::new(format!("{other:?} is not known"), "choose `deny` or `allow`")),
        }
    }
}

impl fmt::Display for CoreDumps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        })
    }
}
