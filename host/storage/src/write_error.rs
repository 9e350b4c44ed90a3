//! Errors of writing, with hints for the user.

use std::io::{Error, ErrorKind};
use std::path::Path;

use crate::WriteError;

/// Why a step of writing the file failed. Some causes get a hint that the operating system's error
/// lacks.
pub(crate) fn write_error(action: &'static str, path: &Path, source: Error) -> WriteError {
    let shown = path.display();
    let text = match source.kind() {
        ErrorKind::Unsupported => format!(
            "the file system of {shown} does not support a safe write ({action} it: {source}); keep the cache on a local file \
             system, or grant it for reading only"
        ),
        ErrorKind::ResourceBusy => format!(
            "{shown} is mounted as a single file, which cannot be replaced ({source}); mount its folder, or grant the cache for \
             reading only"
        ),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => format!(
            "{action} {shown} failed: {source}; make it and its folder writable, or grant the cache for reading only to be spared this \
             warning"
        ),
        _ => return WriteError::Io { action, path: shown.to_string(), source },
    };
    WriteError::Unusable(text)
}

/// Why a file was not replaced on Windows, which returns the same error for a file that is open
/// elsewhere and for one that may not be written.
pub(crate) fn kept_open(path: &Path, source: &Error) -> WriteError {
    WriteError::Unusable(format!(
        "replacing {} failed: {source}; another program has it open, or it is read-only",
        path.display()
    ))
}

/// `flock` has an error of its own for a file system without locks.
pub(crate) fn lock_error(path: &Path, source: Error) -> WriteError {
    #[cfg(unix)]
    if source.raw_os_error() == Some(rustix::io::Errno::NOLCK.raw_os_error()) {
        return write_error("locking with", path, Error::new(ErrorKind::Unsupported, source));
    }
    write_error("locking with", path, source)
}

/// Why a lock stays unavailable until the user acts: it belongs to another user, or may not be
/// opened. `None` for a lock that its holder will release.
pub(crate) fn unreachable_lock(lock: &Path, opening: Option<&Error>) -> Option<String> {
    let denied = opening.filter(|error| error.kind() == ErrorKind::PermissionDenied);
    #[cfg(unix)]
    let owner = {
        use std::os::unix::fs::MetadataExt as _;
        let owner = std::fs::symlink_metadata(lock).ok().map(|metadata| metadata.uid());
        owner.filter(|owner| *owner != rustix::process::geteuid().as_raw())
    };
    #[cfg(not(unix))]
    let owner: Option<u32> = None;
    let shown = lock.display();
    let cause = match (owner, denied) {
        (Some(owner), Some(error)) => {
            format!("it belongs to another user (id {owner}), and opening it failed: {error}")
        }
        (Some(owner), None) => format!("it belongs to another user (id {owner})"),
        // On Windows a file that another program has open causes the same error.
        (None, Some(error)) if cfg!(unix) => format!("opening it failed: {error}"),
        (None, _) => return None,
    };
    Some(format!("cannot take the lock {shown}: {cause}; {LOCK_REMEDY}"))
}

/// The hint for a lock that stays.
pub(crate) const LOCK_REMEDY: &str =
    "if no program is writing the cache at the moment, remove the file, or make it your own with `chown`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_with_a_hint_shows_it() {
        let path = Path::new("/made-up/cache");
        for (kind, part) in [
            (ErrorKind::Unsupported, "local file system"),
            (ErrorKind::ResourceBusy, "mount its folder"),
            (ErrorKind::ReadOnlyFilesystem, "make it and its folder writable"),
            (ErrorKind::PermissionDenied, "reading only"),
            (ErrorKind::StorageFull, "replacing /made-up/cache failed"),
        ] {
            let text = write_error("replacing", path, kind.into()).to_string();
            assert!(text.contains(part), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_system_without_locks_has_a_hint() {
        let error = Error::from_raw_os_error(rustix::io::Errno::NOLCK.raw_os_error());
        assert!(lock_error(Path::new("/made-up/cache"), error).to_string().contains("local file system"));
    }
}
