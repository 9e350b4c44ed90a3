use crate::words::words;

/// Whether the tokens of a profile carry the mark of the host's agent session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum AgentSessionUse {
    /// If the host has an agent session, tokens are marked with it, and no other token is served.
    #[default]
    Pass,
    /// Tokens are never marked. A resource cannot tell that an agent acts.
    Off,
}

words!(AgentSessionUse, "is not known", "choose `pass` or `off`", "pass" => Pass, "off" => Off);
