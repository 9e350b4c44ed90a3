use std::path::PathBuf;

/// The conditions under which a cache is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The largest document, in bytes.
    pub largest: u64,
    /// Whether to use a file whose mode lets other users read or write it. Unix only.
    pub loose_permissions: Leniency,
    /// Whether to use a file that belongs to another user. Unix only.
    pub other_owner: Leniency,
    /// The files that a symbolic link in the cache's place may point to.
    pub symlink_targets: Vec<PathBuf>,
}

/// The handling of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leniency {
    /// The file is not used.
    Refuse,
    /// The file is used, and the log has a warning.
    Warn,
}
