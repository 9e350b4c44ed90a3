use crate::words::words;

/// Whether a crash of the process may leave a core dump, which contains the secrets of its calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CoreDumps {
    /// No core dump, as far as the platform can be configured.
    #[default]
    Deny,
    /// As the platform is configured.
    Allow,
}

words!(CoreDumps, "is not known", "choose `deny` or `allow`", "deny" => Deny, "allow" => Allow);
