//! The lock that guards a cache file against every other program: `<cache file>.lockfile` beside it.
//!
//! Two customs exist. MSAL for Python and JavaScript create the file exclusively and remove it when done; .NET, Go and Python
//! with portalocker take an advisory lock on it. This lock is both: the file appears locked and signed, and is removed.

mod holder;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::WriteError;
use crate::problem::{lock_error, whose};

/// As long as MSAL for Python tries.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(25);

/// A held lock; dropping it gives it up.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Waits for the lock of a cache file, for a bounded time.
    pub(super) fn acquire(cache: &Path) -> Result<Self, WriteError> {
        Self::acquire_while(cache, || true)
    }

    /// Waits for the lock of a cache file only while it is of use: a writer need not wait for somebody whose write makes his own void.
    pub(super) fn acquire_while(cache: &Path, of_use: impl Fn() -> bool) -> Result<Self, WriteError> {
        Self::acquire_within(cache, PATIENCE, of_use)
    }

    /// Whether somebody seems to hold the lock of a cache file. A crash may have left it.
    pub(super) fn exists(cache: &Path) -> bool {
        exists(&path_of(cache)).unwrap_or(false)
    }

    fn acquire_within(cache: &Path, patience: Duration, of_use: impl Fn() -> bool) -> Result<Self, WriteError> {
        let path = path_of(cache);
        let deadline = Instant::now() + patience;
        loop {
            if !of_use() {
                return Err(WriteError::Conflict);
            }
            let taken = exists(&path).and_then(|exists| if exists { take_over(&path) } else { create(&path) });
            match taken {
                Ok(Some(file)) => return Ok(Self { path, file }),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Ok(None) => return Err(WriteError::Locked(format!("{}{}", path.display(), whose(&path)))),
                Err(source) => return Err(lock_error(&path, source)),
            }
        }
    }

    /// Whether the lock still is what keeps others out. A program that ran out of patience may have removed its file, as MSAL for
    /// Python with portalocker does.
    pub(super) fn is_held(&self) -> bool {
        is_still_at(&self.file, &self.path).unwrap_or(false)
    }
}

impl Drop for Lock {
    /// Removes the file while it is still locked, so that nobody can hold a lock on a file that is about to vanish and be robbed.
    fn drop(&mut self) {
        // What stands there when ours was removed is the lock of somebody else.
        if self.is_held() {
            // Nobody is left to tell; a lock that stays behind heals, because our process id in it will be dead.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

fn path_of(cache: &Path) -> PathBuf {
    let mut name = cache.as_os_str().to_owned();
    name.push(".lockfile");
    PathBuf::from(name)
}

/// Whether there is a lock. Anything but a file is no program's lock, and opening a FIFO could wait.
fn exists(path: &Path) -> io::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(true),
        Ok(_) => Err(io::Error::other("it is not a regular file, so no program's lock; remove it")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Creates and locks the file; `None` when there is one. It gets its name when it is locked and signed, so that there is no moment in
/// which others find it without a holder, and in which a crash would leave a lock that names nobody.
#[cfg(unix)]
fn create(path: &Path) -> io::Result<Option<File>> {
    let mut temporary = crate::temporary::beside(path)?;
    if !try_lock(temporary.as_file())? {
        return Ok(None);
    }
    sign(temporary.as_file_mut())?;
    match std::fs::hard_link(temporary.path(), path) {
        Ok(()) => {
            let (file, temporary) = temporary.into_parts();
            temporary.close()?;
            Ok(Some(file))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) if has_no_links(&error) => create_in_place(path),
        Err(error) => Err(error),
    }
}

/// FAT and some network file systems give a file no second name, and a security module may forbid it.
#[cfg(unix)]
fn has_no_links(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::PERM, Errno::ACCESS, Errno::OPNOTSUPP, Errno::NOSYS, Errno::MLINK, Errno::XDEV]
        .iter()
        .any(|none| error.raw_os_error() == Some(none.raw_os_error()))
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<Option<File>> {
    create_in_place(path)
}

fn create_in_place(path: &Path) -> io::Result<Option<File>> {
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
    // Until it is locked, a program that asks for nothing but a lock can have it, and remove the file.
    if !try_lock(&file)? || !is_still_at(&file, path)? {
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
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // Another user's, whose program will remove it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    // Looks before it locks: who has created the file and is about to lock it should find it free.
    if !holder::is_gone(&mut file)? || !try_lock(&file)? {
        return Ok(None);
    }
    // Whoever was faster has signed it, or has removed it since.
    if !holder::is_gone(&mut file)? || !is_still_at(&file, path)? {
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

/// Writes who holds the lock, as MSAL does: the process id and the program. One write and no empty file in between, which would be
/// nobody's lock should we be killed there.
fn sign(file: &mut File) -> io::Result<()> {
    let text = format!("{} shared-token-cache", std::process::id());
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
