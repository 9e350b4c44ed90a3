//! The lock that guards a cache file against every other program: `<cache file>.lockfile` beside
//! it.
//!
//! There are two conventions. MSAL for Python and JavaScript create the file exclusively and remove
//! it when done; .NET, Go and Python with portalocker take an advisory lock on it. This lock
//! follows both: the file appears already locked and with its holder's process id, and is removed
//! afterwards.
//!
//! On Windows locks are mandatory, .NET holds its lock by sharing the open file with readers only,
//! and a file that is open without sharing deletion cannot be removed.

mod holder;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::WriteError;
use crate::files::{is_still_at, open_unfollowed};
use crate::windows_sharing::{is_busy, may_be_busy};
use crate::write_error::{lock_error, unreachable_lock};

/// MSAL for Python waits this long.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(25);

/// For a file that is being removed, Windows returns the same error as for missing permission. The
/// former ends once every program has closed the file.
const REMOVAL_PATIENCE: Duration = Duration::from_millis(500);

/// A held lock, released when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Waits for the lock of a cache file, up to [`PATIENCE`].
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    pub(super) fn acquire(cache: &Path) -> Result<Self, WriteError> {
        Self::acquire_while(cache, || true)
    }

    /// Waits for the lock of a cache file while `of_use` is true. A writer stops waiting once
    /// another program's write has caused a conflict.
    pub(super) fn acquire_while(cache: &Path, of_use: impl Fn() -> bool) -> Result<Self, WriteError> {
        Self::acquire_within(cache, PATIENCE, of_use)
    }

    /// Whether the lock file of a cache file exists. A crash may have left it.
    pub(super) fn exists(cache: &Path) -> bool {
        exists(&path_of(cache)).unwrap_or(false)
    }

    /// Whether the lock of a cache file exists and was left behind. Takes no lock.
    pub(super) fn is_abandoned(cache: &Path) -> bool {
        let path = path_of(cache);
        let gone = || {
            if exists(&path)? {
                holder::is_gone(&mut open_unfollowed(&path, File::options().read(true))?)
            } else {
                Ok(false)
            }
        };
        gone().unwrap_or(false)
    }

    /// Why no program of this user can take the lock of a cache file, with the hint; `None` if a
    /// running holder or a crash explains it.
    pub(super) fn problem(cache: &Path) -> Option<String> {
        let path = path_of(cache);
        let shown = |why: &io::Error| Some(format!("cannot take the lock {}: {why}", path.display()));
        match exists(&path) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(error) => return shown(&error),
        }
        let opened = open_existing(&path);
        let foreign = unreachable_lock(&path, opened.as_ref().err());
        match opened {
            _ if foreign.is_some() => foreign,
            Ok(mut file) => check_is_signed(&mut file).err().and_then(|error| shown(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound || may_be_busy(&error) => None,
            Err(error) => shown(&error),
        }
    }

    fn acquire_within(cache: &Path, patience: Duration, of_use: impl Fn() -> bool) -> Result<Self, WriteError> {
        let path = path_of(cache);
        let started = Instant::now();
        loop {
            if !of_use() {
                return Err(WriteError::Conflict);
            }
            let taken = exists(&path).and_then(|exists| if exists { take_over(&path) } else { create(&path) });
            let waited = started.elapsed();
            if matches!(taken, Ok(None)) && (waited >= patience || is_old(&path)) {
                // A lock is held for milliseconds, so an old one of another user was left behind.
                let opening = open_existing(&path).err();
                if let Some(why) = unreachable_lock(&path, opening.as_ref()) {
                    return Err(WriteError::Unusable(why));
                }
            }
            match taken {
                Ok(Some(file)) => return Ok(Self { path, file }),
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

    /// Makes the lock file stale at once, as if it had been empty for long.
    fn abandon(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.set_modified(SystemTime::now() - holder::LONG_AGO)
    }

    /// Whether the lock still excludes other programs. One whose wait timed out may have removed
    /// the file, as MSAL for Python with portalocker does.
    pub(super) fn is_held(&self) -> bool {
        is_still_at(&self.file, &self.path).unwrap_or(false)
    }
}

impl Drop for Lock {
    /// Removes the file while it is still locked, so that no other program can take a lock on a
    /// file that is about to be removed.
    fn drop(&mut self) {
        // On Windows a virus scanner may have it open. MSAL for Python with portalocker keeps it
        // open while it waits for this lock, and removes it afterwards, so a long retry is of no
        // use.
        for _ in 0..5 {
            // A different file at the path is another program's lock.
            if !self.is_held() {
                return;
            }
            match std::fs::remove_file(&self.path) {
                Ok(()) => return,
                Err(error) if may_be_busy(&error) => std::thread::sleep(Duration::from_millis(10)),
                Err(_) => break,
            }
        }
        // `drop` cannot return the error. With our process id in it, the file would block other
        // programs as long as this process runs.
        drop(self.abandon());
    }
}

pub(super) fn path_of(cache: &Path) -> PathBuf {
    let mut name = cache.as_os_str().to_owned();
    name.push(".lockfile");
    PathBuf::from(name)
}

/// Whether the lock file exists. Anything but a regular file is an error, because opening a FIFO
/// could block.
fn exists(path: &Path) -> io::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => check_is_lock(&metadata).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The most bytes of a lock file: a process id and the path of a program.
const LONGEST_SIGNATURE: u64 = 1024;

/// Distinguishes a lock from another file of this name, which is neither overwritten nor removed.
fn check_is_lock(metadata: &std::fs::Metadata) -> io::Result<()> {
    let other = |what: &str| Err(io::Error::other(format!("{what}, so it is not a lock; move it away")));
    if !metadata.is_file() {
        return other("it is not a regular file");
    }
    if metadata.len() > LONGEST_SIGNATURE {
        return other(&format!("it has {} bytes", metadata.len()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // `create` gives a lock a second name for a moment, that of its temporary file.
        if metadata.nlink() > 2 {
            return other(&format!("it has {} names", metadata.nlink()));
        }
    }
    Ok(())
}

/// Whether an abandoned lock may be overwritten: it must belong to this user and have no other
/// name. A crash inside `create` leaves a second name, of a file that is signed.
#[cfg(unix)]
fn may_be_overwritten(metadata: &std::fs::Metadata, file: &mut File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    Ok(is_own && (metadata.nlink() == 1 || holder::names_a_process(file)?))
}

#[cfg(not(unix))]
fn may_be_overwritten(_metadata: &std::fs::Metadata, _file: &mut File) -> io::Result<bool> {
    Ok(true)
}

/// Creates and locks the file; `None` if it exists. The file is locked and signed before it is
/// linked to its name, so other programs never see a lock without a holder, and a crash cannot
/// leave one.
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

/// FAT and some network file systems have no hard links, and a security module may forbid them.
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
    // Until the file is locked, a program that uses advisory locks only can take the lock and
    // remove the file.
    let locked = match try_lock(&file) {
        Ok(locked) => locked && is_still_at(&file, path)?,
        Err(error) => {
            // Without advisory locks the file would only block the programs that do not use them.
            drop(std::fs::remove_file(path));
            return Err(error);
        }
    };
    if !locked {
        return Ok(None);
    }
    sign(&mut file)?;
    Ok(Some(file))
}

/// Takes over a lock that a crash left behind; `None` while a program may hold it.
fn take_over(path: &Path) -> io::Result<Option<File>> {
    let mut file = match open_existing(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // It belongs to another user, whose program may be about to remove it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    check_is_lock(&metadata)?;
    check_is_signed(&mut file)?;
    if !may_be_overwritten(&metadata, &mut file)? {
        return Ok(None);
    }
    // Checks before it locks: a program that has created the file and is about to lock it must not
    // find it locked.
    if !holder::is_gone(&mut file)? || !try_lock(&file)? {
        return Ok(None);
    }
    // A faster program has signed the file by now, or has removed it.
    if !holder::is_gone(&mut file)? || !is_still_at(&file, path)? {
        return Ok(None);
    }
    sign(&mut file)?;
    Ok(Some(file))
}

/// Every program that signs its lock writes its process id first. An empty file is not signed yet.
fn check_is_signed(file: &mut File) -> io::Result<()> {
    if file.metadata()?.len() > 0 && !holder::names_a_process(file)? {
        return Err(io::Error::other("it names no process, so it is not a lock; move it away"));
    }
    Ok(())
}

/// Whether the lock file is so old that its holder is gone.
fn is_old(path: &Path) -> bool {
    let modified = std::fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| time.elapsed().unwrap_or_default() > holder::ANONYMOUS_IS_STALE_AFTER)
}

/// Opens a lock file that exists, for reading and writing.
fn open_existing(path: &Path) -> io::Result<File> {
    open_unfollowed(path, File::options().read(true).write(true))
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Writes the process id and the program, as MSAL does. A single write before the truncation leaves
/// no moment in which the file is empty: a crash then would leave a lock without a holder.
fn sign(file: &mut File) -> io::Result<()> {
    let text = format!("{} shared-token-cache", std::process::id());
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
#[cfg(test)]
#[cfg(windows)]
mod windows_tests;
