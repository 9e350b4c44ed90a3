use std::path::PathBuf;

/// What a cache has to be like to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The largest document, in bytes.
    pub largest: u64,
    /// What becomes of a file that its mode lets other users read or write. Only Unix has modes.
    pub loose_permissions: Leniency,
    /// What becomes of a file that belongs to another user. Unix only.
    pub other_owner: Leniency,
    /// The files that a symbolic link in the cache's place may point to.
    pub symlink_targets: Vec<PathBuf>,
}

/// What becomes of something doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leniency {
    /// It is not used.
    Refuse,
    /// It is used, and the log has a warning.
    Warn,
}
