//! The last known state of a source's cache, so that changes by other programs are noticed between
//! calls.

use std::sync::{Mutex, PoisonError};

use shared_token_cache_storage::Store;

/// The last known state; `None` at first.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Option<Sight>>);

/// A state of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Sight {
    /// The document at this version, which this program read or wrote.
    Version(String),
    /// There was no document; this is the store's change marker at that time.
    Nothing(Option<String>),
}

impl Seen {
    /// Records that the document is at this version: it was read or written.
    pub(crate) fn at(&self, version: &str) {
        let mut sight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(&*sight, Some(Sight::Version(seen)) if seen == version) {
            *sight = Some(Sight::Version(version.to_owned()));
        }
    }

    /// Records that the document could not be read. `mark` is the store's change marker from before
    /// the read.
    pub(super) fn nothing(&self, mark: Option<String>) {
        self.put(Sight::Nothing(mark));
    }

    /// Whether the cache may have changed since. Reads the file's metadata, which may hang; it
    /// holds no lock meanwhile.
    pub(crate) fn may_have_changed(&self, store: &dyn Store) -> bool {
        match self.last() {
            Some(Sight::Version(version)) => !store.is_at(&version),
            Some(Sight::Nothing(mark)) => store.mark() != mark,
            None => false,
        }
    }

    /// The last known state.
    pub(crate) fn last(&self) -> Option<Sight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, sight: Sight) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sight);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use shared_token_cache_storage::{FileStore, Leniency, Read, Rules};

    use super::*;

    #[test]
    fn changes_by_other_programs_are_noticed_and_those_by_this_program_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        let rules = Rules {
            largest: 1 << 20,
            loose_permissions: Leniency::Warn,
            other_owner: Leniency::Refuse,
            symlink_targets: Vec::new(),
        };
        let (store, seen) = (FileStore::new(path.clone(), rules), Seen::default());
        assert!(!seen.may_have_changed(&store), "the cache was not read yet");
        seen.nothing(store.mark());
        assert!(!seen.may_have_changed(&store));
        fs::write(&path, "{}").unwrap();
        assert!(seen.may_have_changed(&store), "a sign-in");
        let Ok(Read::Document(document)) = store.read(None) else { panic!("it can be read") };
        seen.at(&document.version);
        assert!(!seen.may_have_changed(&store));
        let version = store.replace(&document.version, b"{\"a\":{}}").unwrap();
        seen.at(&version);
        assert!(!seen.may_have_changed(&store));
        fs::remove_file(&path).unwrap();
        assert!(seen.may_have_changed(&store), "a sign-out");
    }
}
