//! Temporary files beside a cache file: its replacement, and its lock before it gets its name.
//!
//! A killed process leaves them behind, with tokens in them. Their names let the next writer find
//! and remove them.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use tempfile::{Builder, NamedTempFile};

/// A name is `.<name of the file>.<random letters and digits>.tmp`. Sixteen random characters do
/// not occur in a name that a user chose.
const RANDOM: usize = 16;
const SUFFIX: &str = ".tmp";

/// Part of the names of files that become a lock.
const LOCK: &str = "lockfile.";

/// A temporary file lives for milliseconds. An older one was left behind, or its writer is
/// suspended: then that writer's replacement fails.
const STALE_AFTER: Duration = Duration::from_secs(60);

/// The folder that a file lies in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Creates a temporary file beside `path`, accessible to its owner only and removed when dropped.
pub(crate) fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let prefix = prefix(path).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    create(Builder::new().prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM), folder(path))
}

#[cfg(unix)]
fn create(builder: &Builder<'_, '_>, folder: &Path) -> io::Result<NamedTempFile> {
    // tempfile's mode is 0600 from the start.
    builder.tempfile_in(folder)
}

/// Access is inherited from the folder.
#[cfg(windows)]
fn create(builder: &Builder<'_, '_>, folder: &Path) -> io::Result<NamedTempFile> {
    // tempfile would set the attribute "temporary": Windows then delays writing the file to disk,
    // and the attribute would stay.
    builder.make_in(folder, |path| std::fs::File::options().create_new(true).read(true).write(true).open(path))
}

/// Removes abandoned temporary files of the cache file at `path`. The caller holds its lock.
pub(crate) fn remove_stale(path: &Path) {
    let Some(Ok(prefix)) = prefix(path).map(OsString::into_string) else { return };
    let Ok(entries) = std::fs::read_dir(folder(path)) else { return };
    for entry in entries.flatten() {
        let is_temporary = entry.file_name().to_str().is_some_and(|name| is_temporary(name, &prefix));
        if is_temporary && entry.metadata().is_ok_and(|metadata| is_ours(&metadata) && is_stale(&metadata)) {
            match std::fs::remove_file(entry.path()) {
                Ok(()) => tracing::debug!("removed {}, which a killed program left behind", entry.path().display()),
                Err(error) => tracing::warn!(
                    "cannot remove {}, which a killed program left behind: {error}",
                    entry.path().display()
                ),
            }
        }
    }
}

fn prefix(path: &Path) -> Option<OsString> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name()?);
    prefix.push(".");
    Some(prefix)
}

fn is_temporary(name: &str, prefix: &str) -> bool {
    let random = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(SUFFIX));
    let random = random.map(|random| random.strip_prefix(LOCK).unwrap_or(random));
    random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// `metadata` is that of the name itself, so a symbolic link does not pass.
fn is_ours(metadata: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return false;
        }
    }
    metadata.is_file()
}

fn is_stale(metadata: &std::fs::Metadata) -> bool {
    let age = metadata.modified().ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > STALE_AFTER)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::SystemTime;

    use super::*;

    fn write_aged(path: &Path, seconds: u64) {
        fs::write(path, "{}").unwrap();
        let time = SystemTime::now() - Duration::from_secs(seconds);
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn a_temporary_file_has_a_name_that_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        for (path, prefix) in [(&path, ".cache."), (&path.with_extension("lockfile"), ".cache.")] {
            let file = beside(path).unwrap();
            let name = file.path().file_name().unwrap().to_str().unwrap();
            assert!(is_temporary(name, prefix), "{name}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "they are gone when dropped");
    }

    #[test]
    fn only_temporary_files_of_killed_writers_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        for (name, seconds, stays) in [
            (".cache.abcdefghijkl0123.tmp", 61, false),
            (".cache.lockfile.abcdefghijkl0123.tmp", 61, false),
            (".cache.ABCDEFGHIJKL0123.tmp", 30, true),
            (".cache.nocae.abcdefghijkl0123.tmp", 61, true),
            (".cache.backup.tmp", 61, true),
            (".cache.tmp", 61, true),
            ("cache", 61, true),
            ("cache.lockfile", 61, true),
        ] {
            let left = folder.path().join(name);
            write_aged(&left, seconds);
            remove_stale(&path);
            assert_eq!(left.exists(), stays, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_or_a_link_of_such_a_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join(".cache.abcdefghijkl0123.tmp"));
        write_aged(&target, 61);
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let other = folder.path().join(".cache.0123abcdefghijkl.tmp");
        fs::create_dir(&other).unwrap();
        for path in [&link, &other] {
            let long_ago = rustix::fs::Timespec { tv_sec: 1, tv_nsec: 0 };
            let times = rustix::fs::Timestamps { last_access: long_ago, last_modification: long_ago };
            rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).unwrap();
        }

        remove_stale(&folder.path().join("cache"));
        assert!(link.is_symlink() && target.exists() && other.is_dir());
    }
}
