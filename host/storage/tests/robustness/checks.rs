//! The checks in each place.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use shared_token_cache_storage::{FileStore, Leniency, Read, Rules, Store as _, WriteError};

use crate::places::Place;

pub(crate) const ALL: [(&str, Place); 11] = [
    ("a_cache_that_is_mounted_as_a_single_file", Place::SingleFile),
    ("a_folder_that_is_mounted_for_reading_only", Place::ReadOnlyMount),
    ("a_folder_that_is_mounted_for_reading_only_and_has_a_lock", Place::ReadOnlyMountWithLock),
    ("a_folder_that_may_not_be_written", Place::ReadOnlyModes),
    ("a_folder_that_may_not_be_written_and_has_a_lock", Place::ReadOnlyModesWithLock),
    ("a_file_that_may_not_be_written", Place::ReadOnlyFile),
    ("a_lock_of_another_user", Place::LockOfAnother),
    ("a_file_system_whose_lock_service_is_gone", Place::WithoutLocks(Errno::NOLCK.raw_os_error())),
    ("a_file_system_without_locks", Place::WithoutLocks(Errno::OPNOTSUPP.raw_os_error())),
    ("a_file_system_without_hard_links", Place::WithoutLinks(Errno::PERM.raw_os_error())),
    ("a_policy_without_hard_links", Place::WithoutLinks(Errno::ACCESS.raw_os_error())),
];

/// Much less than the 5 s for which a writer waits for the lock.
const AT_ONCE: Duration = Duration::from_secs(2);

/// In the process of a place: cached tokens can be read, and a write succeeds or is refused, as
/// expected.
pub(crate) fn inner(name: &str, cache: &Path) -> Result<(), String> {
    let place = ALL.into_iter().find(|(other, _)| *other == name).map(|(_, place)| place).ok_or("no such check")?;
    let expected = match place {
        Place::SingleFile => Some("is mounted as a single file"),
        Place::ReadOnlyMount | Place::ReadOnlyMountWithLock => Some("Read-only file system"),
        Place::ReadOnlyModes | Place::ReadOnlyModesWithLock | Place::ReadOnlyFile => Some("Permission denied"),
        Place::LockOfAnother => {
            Some("cache.lockfile: it belongs to another user (id 0), and opening it failed: Permission denied")
        }
        Place::WithoutLocks(_) => Some("keep the cache on a local file system"),
        Place::WithoutLinks(_) => None,
    };
    let store = FileStore::new(cache.to_owned(), RULES);
    let document = match store.read(None) {
        Ok(Read::Document(document)) if *document.content == b"{\"a\":1}" => document,
        other => return Err(format!("read: {other:?}")),
    };
    let started = Instant::now();
    let outcome = store.replace(&document.version, b"{}");
    let took = started.elapsed();
    let left = names(cache)?;
    // The error has a hint, and no file is left behind.
    let (refused, why) = match (outcome, place) {
        (Ok(_), _) => (None, String::new()),
        (Err(WriteError::Unusable(why)), Place::LockOfAnother) if why.contains("remove the file") => (expected, why),
        (Err(WriteError::Unusable(why)), _) if took < AT_ONCE && why.contains("for reading only") => (expected, why),
        (Err(error), _) => (None, error.to_string()),
    };
    let lock_stays =
        matches!(place, Place::ReadOnlyMountWithLock | Place::ReadOnlyModesWithLock | Place::LockOfAnother);
    let is_as_it_was = store.is_at(&document.version);
    if refused == expected
        && refused.is_none_or(|part| why.contains(part) && is_as_it_was)
        && left == if lock_stays { vec!["cache.lockfile"] } else { vec![] }
    {
        return Ok(());
    }
    Err(format!("{why:?} after {took:?}; as it was: {is_as_it_was}; left: {left:?}"))
}

const RULES: Rules = Rules {
    largest: 100,
    loose_permissions: Leniency::Refuse,
    other_owner: Leniency::Refuse,
    symlink_targets: Vec::new(),
};

/// The locks and temporary files beside the cache.
fn names(cache: &Path) -> Result<Vec<String>, String> {
    let folder = cache.parent().ok_or("no folder")?;
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.contains("cache") && name != "cache").collect())
}
