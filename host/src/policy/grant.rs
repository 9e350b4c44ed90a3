use super::{CacheName, Source};

/// A cache that the plugin may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheGrant {
    source: Source,
    names: Vec<CacheName>,
    access: Access,
    loose_permissions: LoosePermissions,
}

/// What may be done with a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Read it. New tokens reach the caller and are not stored.
    Read,
    /// Read it, and replace it by a version with new tokens.
    ReadWrite,
}

/// What becomes of a cache file that other users may read or write, going by its mode. Only Unix has modes: elsewhere a file's
/// access list is the user's own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoosePermissions {
    /// It is not read.
    Refuse,
    /// It is read, and the log has a warning. Several tools leave files of mode 0644 behind.
    Warn,
}

impl CacheGrant {
    /// A grant for a source that names no cache yet. A grant for a file needs no name.
    #[must_use]
    pub fn new(source: Source, access: Access) -> Self {
        Self { source, names: Vec::new(), access, loose_permissions: LoosePermissions::Refuse }
    }

    /// Grants the cache of this name.
    #[must_use]
    pub fn name(mut self, name: CacheName) -> Self {
        self.names.push(name);
        self
    }

    /// What becomes of a file that other users may read or write; by default it is refused.
    #[must_use]
    pub fn loose_permissions(mut self, loose_permissions: LoosePermissions) -> Self {
        self.loose_permissions = loose_permissions;
        self
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn covers(&self, name: &CacheName) -> bool {
        matches!(self.source, Source::File(_)) || self.names.contains(name)
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    pub(crate) fn get_loose_permissions(&self) -> LoosePermissions {
        self.loose_permissions
    }
}
