//! The lock that guards a cache file against every other program: `<cache file>.lockfile` beside it.
//!
//! Two customs exist. MSAL for Python and JavaScript create the file exclusively and remove it when done; .NET, Go and Python
//! with portalocker take an advisory lock on it. This lock is both: it creates the file, locks it, and removes it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::WriteError;
use crate::problem::lock_error;

/// As long as MSAL for Python tries.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// A lock file without a process id may belong to a holder that has just created it; after this long it does not.
const ANONYMOUS_IS_STALE_AFTER: Duration = Duration::from_secs(60);

/// A holder whose process can't be seen may live in another container; a lock is held for milliseconds, so this long is enough.
const DEAD_IS_STALE_AFTER: Duration = Duration::from_secs(2);

/// A held lock; dropping it gives it up.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Waits for the lock of a cache file, for a bounded time.
    pub(super) fn acquire(cache: &Path) -> Result<Self, WriteError> {
        Self::acquire_within(cache, PATIENCE)
    }

    fn acquire_within(cache: &Path, patience: Duration) -> Result<Self, WriteError> {
        let path = path_of(cache);
        let deadline = Instant::now() + patience;
        loop {
            let taken = create(&path).and_then(|created| match created {
                Some(file) => Ok(Some(file)),
                None => take_over(&path),
            });
            match taken {
                Ok(Some(file)) => return Ok(Self { path, _file: file }),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Ok(None) => return Err(WriteError::Locked(path.display().to_string())),
                Err(source) => return Err(lock_error(&path, source)),
            }
        }
    }
}

impl Drop for Lock {
    /// Removes the file while it is still locked, so that nobody can hold a lock on a file that is about to vanish and be robbed.
    fn drop(&mut self) {
        // Nobody is left to tell; a lock that stays behind heals, because our process id in it will be dead.
        drop(std::fs::remove_file(&self.path));
    }
}

pub(super) fn path_of(cache: &Path) -> PathBuf {
    let mut name = cache.as_os_str().to_owned();
    name.push(".lockfile");
    PathBuf::from(name)
}

/// Whether a look at the lock file says that its holder is gone.
pub(super) fn is_abandoned(file: &mut File) -> bool {
    is_stale(file).unwrap_or(false)
}

/// What the holder wrote.
pub(super) fn holder(file: &mut File) -> io::Result<String> {
    file.rewind()?;
    let mut text = String::new();
    file.take(64).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

/// Creates and locks the file; `None` when there is one.
fn create(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(error),
    };
    if !try_lock(&file)? {
        return Ok(None);
    }
    sign(&mut file)?;
    Ok(Some(file))
}

/// Takes over a lock that a crash left behind; `None` while somebody may hold it.
fn take_over(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    if !try_lock(&file)? || !is_stale(&mut file)? || !is_still_at(&file, path)? {
        return Ok(None);
    }
    sign(&mut file)?;
    Ok(Some(file))
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn is_stale(file: &mut File) -> io::Result<bool> {
    let mut text = String::new();
    let holder = match file.take(64).read_to_string(&mut text) {
        Ok(_) => text.split_whitespace().next().and_then(|pid| pid.parse::<i32>().ok()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
        Err(error) => return Err(error),
    };
    let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
    Ok(match holder {
        Some(pid) => age > DEAD_IS_STALE_AFTER && !is_alive(pid),
        None => age > ANONYMOUS_IS_STALE_AFTER,
    })
}

#[cfg(unix)]
fn is_alive(pid: i32) -> bool {
    // Only "no such process" says that there is none: without permission to signal it, it exists.
    rustix::process::Pid::from_raw(pid)
        .is_none_or(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Windows does not let a file be opened for writing while MSAL holds its lock, so whoever gets here found it abandoned.
#[cfg(not(unix))]
fn is_alive(_pid: i32) -> bool {
    false
}

/// Whether the file that was opened is the one that stands at the path now.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let opened = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(current) => Ok((opened.dev(), opened.ino()) == (current.dev(), current.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Windows does not remove a file that is open.
#[cfg(not(unix))]
fn is_still_at(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Writes who holds the lock, as MSAL does: the process id and the program.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{} shared-token-cache", std::process::id())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::time::SystemTime;

    use super::*;

    const SHORT: Duration = Duration::from_millis(120);

    fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (cache, lock) = (folder.path().join("cache"), folder.path().join("cache.lockfile"));
        (folder, cache, lock)
    }

    fn write_aged(path: &Path, content: &str, age: Duration) {
        fs::write(path, content).unwrap();
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
    }

    /// The id of a process that has ended.
    fn dead_pid() -> u32 {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    }

    #[test]
    fn a_lock_is_signed_while_held_and_gone_afterwards() {
        let (_folder, cache, path) = folder();
        let lock = Lock::acquire_within(&cache, SHORT).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{} shared-token-cache", std::process::id()));
        assert!(matches!(Lock::acquire_within(&cache, SHORT), Err(WriteError::Locked(_))));
        drop(lock);
        assert!(!path.exists());
        Lock::acquire_within(&cache, SHORT).unwrap();
    }

    #[test]
    fn a_live_holder_is_never_robbed() {
        let (_folder, cache, path) = folder();
        let hour = Duration::from_secs(3600);
        // Created exclusively and not locked, as MSAL for Python holds it.
        write_aged(&path, &format!("{} python", std::process::id()), hour);
        assert!(matches!(Lock::acquire_within(&cache, SHORT), Err(WriteError::Locked(_))));
        // Locked and not signed, as MSAL.NET holds it.
        write_aged(&path, "", hour);
        let holder = File::options().write(true).open(&path).unwrap();
        holder.try_lock().unwrap();
        assert!(matches!(Lock::acquire_within(&cache, SHORT), Err(WriteError::Locked(_))));
        assert!(path.exists());
    }

    #[test]
    fn a_lock_that_a_crash_left_behind_heals() {
        let (_folder, cache, path) = folder();
        let dead = dead_pid();
        for (content, age, heals) in [
            (format!("{dead} python"), 3, true),
            (format!("{dead} python"), 0, false),
            (String::new(), 61, true),
            (String::new(), 30, false),
            ("not a process id".to_owned(), 61, true),
        ] {
            write_aged(&path, &content, Duration::from_secs(age));
            let taken = Lock::acquire_within(&cache, SHORT);
            assert_eq!(taken.is_ok(), heals, "{content:?} after {age} s");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_and_not_a_wait() {
        let started = Instant::now();
        assert!(matches!(Lock::acquire_within(Path::new("/nonexistent/cache"), PATIENCE), Err(WriteError::Io { .. })));
        assert!(started.elapsed() < PATIENCE);
    }
}
