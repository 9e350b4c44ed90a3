use std::path::PathBuf;

use crate::words::words;
use crate::{CacheName, Source};

/// A cache that a component may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheGrant {
    source: Source,
    names: Vec<CacheName>,
    access: Access,
    loose_permissions: Leniency,
    other_owner: Leniency,
    symlink_targets: Vec<PathBuf>,
}

/// The access to a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Read only. New tokens reach the caller and are not stored.
    Read,
    /// Read, and replace by a version with new tokens.
    ReadWrite,
}

/// Whether to use a cache file that other users can access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leniency {
    /// The file is not used.
    Refuse,
    /// The file is used, and the log has a warning.
    Warn,
}

impl CacheGrant {
    /// A grant for a source, without cache names. A file and the Azure CLI, which has a single
    /// file, need none.
    #[must_use]
    pub fn new(source: Source, access: Access) -> Self {
        Self {
            source,
            names: Vec::new(),
            access,
            loose_permissions: Leniency::Warn,
            other_owner: Leniency::Refuse,
            symlink_targets: Vec::new(),
        }
    }

    /// Grants the cache of this name.
    #[must_use]
    pub fn with_name(mut self, name: CacheName) -> Self {
        self.names.push(name);
        self
    }

    /// Whether to use a file whose mode lets other users read or write it. Default: with a warning,
    /// because several tools create files with mode 0644. Unix only; other platforms have access
    /// lists, which are not checked.
    #[must_use]
    pub fn with_loose_permissions(mut self, leniency: Leniency) -> Self {
        self.loose_permissions = leniency;
        self
    }

    /// Whether to use a file that belongs to another user. Default: no. Unix only.
    #[must_use]
    pub fn with_other_owner(mut self, leniency: Leniency) -> Self {
        self.other_owner = leniency;
        self
    }

    /// Allows a symbolic link in the cache's place to point to this file. Default: no link is
    /// followed.
    #[must_use]
    pub fn with_symlink_target(mut self, target: impl Into<PathBuf>) -> Self {
        self.symlink_targets.push(target.into());
        self
    }

    /// The names from [`Self::with_name`].
    #[must_use]
    pub fn names(&self) -> &[CacheName] {
        &self.names
    }

    /// The source of the caches.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn covers(&self, name: &CacheName) -> bool {
        match self.source {
            Source::File(_) => true,
            Source::AzureCli if self.names.is_empty() => true,
            Source::AzureCli | Source::Shared => self.names.contains(name),
        }
    }

    /// The access to the cache.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// The value of [`Self::with_loose_permissions`].
    #[must_use]
    pub fn loose_permissions(&self) -> Leniency {
        self.loose_permissions
    }

    /// The value of [`Self::with_other_owner`].
    #[must_use]
    pub fn other_owner(&self) -> Leniency {
        self.other_owner
    }

    /// The files from [`Self::with_symlink_target`].
    #[must_use]
    pub fn symlink_targets(&self) -> &[PathBuf] {
        &self.symlink_targets
    }
}

words!(Access, "is not an access", "choose `read` or `read-write`", "read" => Read, "read-write" => ReadWrite);

words!(Leniency, "is not known", "choose `refuse` or `warn`", "refuse" => Refuse, "warn" => Warn);
