use std::fmt;
use std::str::FromStr;

use crate::InvalidValue;

/// Whether the tokens of a profile carry the mark of the host's agent session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum AgentSessionUse {
    /// If the host has an agent session, tokens are marked with it, and no other token is served.
    #[default]
    Pass,
    /// Tokens are never marked. A resource cannot tell that an agent acts.
    Off,
}

impl FromStr for AgentSessionUse {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "pass" => Ok(Self::Pass),
            "off" => Ok(Self::Off),
            other => Err(InvalidValue::new(format!("{other:?} is not known"), "choose `pass` or `off`")),
        }
    }
}

impl fmt::Display for AgentSessionUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Off => "off",
        })
    }
}
