//! The lock that guards a cache file against every other program: `<cache file>.lockfile` beside it.
//!
//! Two customs exist. MSAL for Python and JavaScript create the file exclusively and remove it when done; .NET, Go and Python
//! with portalocker take an advisory lock on it. This lock is both: it creates the file, locks it, and removes it.
//!
//! On Windows locks are mandatory, .NET holds its lock by sharing the open file with readers only, and a file can't be removed while a
//! program has it open that does not share that.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::WriteError;
use crate::busy::{is_busy, may_be_busy};
use crate::problem::lock_error;

/// As long as MSAL for Python tries.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// A lock file without a process id may belong to a holder that has just created it; after this long it does not.
const ANONYMOUS_IS_STALE_AFTER: Duration = Duration::from_secs(60);

/// A holder whose process can't be seen may live in another container; a lock is held for milliseconds, so this long is enough.
const DEAD_IS_STALE_AFTER: Duration = Duration::from_secs(2);

/// Windows denies access to a file that is being removed as it does without permission. The former passes as soon as nobody has the
/// file open any more.
const REMOVAL_PATIENCE: Duration = Duration::from_millis(500);

/// A held lock; dropping it gives it up.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Waits for the lock of a cache file, for a bounded time.
    pub(super) fn acquire(cache: &Path) -> Result<Self, WriteError> {
        Self::acquire_within(cache, PATIENCE)
    }

    fn acquire_within(cache: &Path, patience: Duration) -> Result<Self, WriteError> {
        let path = path_of(cache);
        let started = Instant::now();
        loop {
            let taken = create(&path).and_then(|created| match created {
                Some(file) => Ok(Some(file)),
                None => take_over(&path),
            });
            let waited = started.elapsed();
            match taken {
                Ok(Some(file)) => {
                    let mut lock = Self { path, file };
                    return match lock.sign() {
                        Ok(()) => Ok(lock),
                        Err(source) => Err(lock_error(&lock.path, source)),
                    };
                }
                Ok(None) => {}
                Err(source) if is_busy(&source) => {}
                Err(source) if may_be_busy(&source) && waited < REMOVAL_PATIENCE => {}
                Err(source) => return Err(lock_error(&path, source)),
            }
            if waited >= patience {
                return Err(WriteError::Locked(path.display().to_string()));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Writes who holds the lock, as MSAL does: the process id and the program.
    fn sign(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        write!(self.file, "{} shared-token-cache", std::process::id())
    }

    /// Makes the file one that counts as stale at once, as it would if nobody's name had stood in it for long.
    fn abandon(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.set_modified(SystemTime::now() - 2 * ANONYMOUS_IS_STALE_AFTER)
    }
}

impl Drop for Lock {
    /// Removes the file while it is still locked, so that nobody can hold a lock on a file that is about to vanish and be robbed.
    fn drop(&mut self) {
        // On Windows a virus scanner may just have it open. MSAL for Python with portalocker has it open as long as it waits for this
        // lock, and removes it itself afterwards, so there is no use in waiting for long.
        for _ in 0..5 {
            match std::fs::remove_file(&self.path) {
                Err(error) if may_be_busy(&error) => std::thread::sleep(Duration::from_millis(10)),
                Err(error) if error.kind() != io::ErrorKind::NotFound => break,
                Ok(()) | Err(_) => return,
            }
        }
        // Nobody is left to tell. Our process id in it would keep everybody out as long as this process runs.
        drop(self.abandon());
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
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(error),
    };
    match try_lock(&file) {
        Ok(locked) => Ok(locked.then_some(file)),
        Err(error) => {
            // Without locks, all that the file would do is to keep out the programs that need none.
            drop(std::fs::remove_file(path));
            Err(error)
        }
    }
}

/// Takes over a lock that a crash left behind; `None` while somebody may hold it.
fn take_over(path: &Path) -> io::Result<Option<File>> {
    let mut file = match open_existing(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    // Who creates the file locks it next, and must not find it locked by one who only looks: so look first, lock, and look again.
    let taken = is_stale(&mut file)? && try_lock(&file)? && is_stale(&mut file)? && is_still_at(&file, path)?;
    Ok(taken.then_some(file))
}

/// Opens a lock file that exists; follows no symbolic link, because what is opened may be overwritten.
fn open_existing(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt as _;
        options.custom_flags(windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OPEN_REPARSE_POINT);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn is_stale(file: &mut File) -> io::Result<bool> {
    file.rewind()?;
    let mut text = String::new();
    let holder = match file.take(64).read_to_string(&mut text) {
        Ok(_) => text.split_whitespace().next().and_then(|pid| pid.parse::<i32>().ok()).filter(|pid| *pid > 0),
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

#[cfg(windows)]
fn is_alive(pid: i32) -> bool {
    crate::windows::is_running(pid.cast_unsigned())
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

/// Windows removes a file that is open where all who have it open share that, as the standard library does.
#[cfg(windows)]
fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    match open_existing(path) {
        Ok(current) => crate::windows::is_same_file(file, &current),
        Err(error) if error.kind() == io::ErrorKind::NotFound || may_be_busy(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
