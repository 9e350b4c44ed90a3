use std::fmt;
use std::str::FromStr;

use crate::InvalidValue;

/// Whether a crash of the process may leave a core dump, which contains the secrets of its calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CoreDumps {
    /// No core dump, as far as the platform can be configured.
    #[default]
    Deny,
    /// As the platform is configured.
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
