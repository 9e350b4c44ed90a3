use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{CacheName, InvalidValue, Source};

/// A cache that the plugin may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheGrant {
    source: Source,
    names: Vec<CacheName>,
    access: Access,
    loose_permissions: Leniency,
    other_owner: Leniency,
    symlink_targets: Vec<PathBuf>,
}

/// What may be done with a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Read it. New tokens reach the caller and are not stored.
    Read,
    /// Read it, and replace it by a version with new tokens.
    ReadWrite,
}

/// What becomes of a cache file that is not as private as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leniency {
    /// It is not used.
    Refuse,
    /// It is used, and the log has a warning.
    Warn,
}

impl CacheGrant {
    /// A grant for a source that names no cache yet. One for a file or for the Azure CLI, which has one file, needs none.
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

    /// What becomes of a file that other users may read or write, going by its mode. Default: a warning, as several tools leave
    /// files of mode 0644 behind. Only Unix has modes: elsewhere a file's access list is the user's own affair.
    #[must_use]
    pub fn with_loose_permissions(mut self, leniency: Leniency) -> Self {
        self.loose_permissions = leniency;
        self
    }

    /// What becomes of a file that belongs to another user. Default: it is refused. Unix only.
    #[must_use]
    pub fn with_other_owner(mut self, leniency: Leniency) -> Self {
        self.other_owner = leniency;
        self
    }

    /// Lets a symbolic link in the cache's place point to this file. Default: no link is followed.
    #[must_use]
    pub fn with_symlink_target(mut self, target: impl Into<PathBuf>) -> Self {
        self.symlink_targets.push(target.into());
        self
    }

    /// What [`Self::with_name`] granted.
    #[must_use]
    pub fn names(&self) -> &[CacheName] {
        &self.names
    }

    /// Whose caches are granted.
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

    /// What may be done with the cache.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// What [`Self::with_loose_permissions`] set.
    #[must_use]
    pub fn loose_permissions(&self) -> Leniency {
        self.loose_permissions
    }

    /// What [`Self::with_other_owner`] set.
    #[must_use]
    pub fn other_owner(&self) -> Leniency {
        self.other_owner
    }

    /// What [`Self::with_symlink_target`] named.
    #[must_use]
    pub fn symlink_targets(&self) -> &[PathBuf] {
        &self.symlink_targets
    }
}

impl FromStr for Access {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "read" => Ok(Self::Read),
            "read-write" => Ok(Self::ReadWrite),
            other => Err(InvalidValue::new(format!("{other:?} is not an access"), "choose `read` or `read-write`")),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::ReadWrite => "read-write",
        })
    }
}

impl FromStr for Leniency {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "warn" => Ok(Self::Warn),
            other => Err(InvalidValue::new(format!("{other:?} is not known"), "choose `refuse` or `warn`")),
        }
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refuse => "refuse",
            Self::Warn => "warn",
        })
    }
}
