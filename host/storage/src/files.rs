//! Opening files by paths where another program may have put something else: a link, a FIFO, a
//! folder, a device.
//!
//! There are two kinds. A file that this program *writes* is opened strictly: no link is followed,
//! and the file must have one name and a trusted owner. An *input* that the user names may be a
//! link, or a pipe from the shell (`/dev/stdin`, `<(…)`). No open blocks on a FIFO, and all checks
//! are made on the opened file, not on its name.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Component, Path};

use crate::temporary::folder;

/// Opens a file without following a link at its path, and without blocking on a FIFO. The caller
/// checks the opened file.
pub(crate) fn open_unfollowed(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt as _;
        options.custom_flags(windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OPEN_REPARSE_POINT);
    }
    options.open(path)
}

/// Opens a file of the user's own for appending, and creates it with mode 0600 (on Unix) if it is
/// missing. An inherited descriptor (`/dev/stderr`, `>(…)`) is accepted unchecked, and so is a
/// character device, which only root can create. Any other file is also opened for reading if its
/// mode allows it.
///
/// # Errors
/// The operating system's error, or the defect of the file.
pub fn append(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if is_inherited(path) {
        return options.open(path);
    }
    if is_character_device(path) {
        let file = open_unfollowed(path, &mut options)?;
        wait_again(&file)?;
        return Ok(file);
    }
    match own(path, options.read(true)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => own(path, options.read(false)),
        opened => opened,
    }
}

fn is_character_device(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_char_device())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Opens a file for writing: a regular file with one name, owned by this user, by root or by the
/// owner of its folder, who could replace it anyway. No link is followed.
///
/// # Errors
/// The operating system's error, or the defect of the file.
pub fn own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // Opening some devices has an effect, so the type is checked before the open, and again on the
    // opened file.
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => check_own(path, &metadata)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = open_unfollowed(path, options)?;
    check_own(path, &file.metadata()?)?;
    wait_again(&file)?;
    Ok(file)
}

/// Opens an input that the user names: a regular file, also through links, or an inherited pipe or
/// terminal.
///
/// # Errors
/// The operating system's, or that it is something else.
pub fn open_input(path: &Path) -> io::Result<File> {
    let inherited = is_inherited(path);
    if !inherited {
        check_regular(std::fs::metadata(path)?.file_type())?;
    }
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path)?;
    let opened = file.metadata()?.file_type();
    if !inherited || opened.is_dir() {
        check_regular(opened)?;
    }
    wait_again(&file)?;
    Ok(file)
}

/// Reads an input that the user names, `largest` bytes at most.
///
/// # Errors
/// As [`open_input`], or that it is longer.
pub fn read_input(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    let file = open_input(path)?;
    if file.metadata()?.len() > largest {
        return Err(too_long(largest));
    }
    read_bounded(file, largest)
}

/// Reads to the end, `largest` bytes at most.
///
/// # Errors
/// The operating system's, or that it is longer.
pub fn read_bounded(source: impl io::Read, largest: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    source.take(largest.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > largest {
        return Err(too_long(largest));
    }
    Ok(content)
}

/// How other users may change or replace a file that the user names, with the hint. `None` if they
/// cannot, and for inherited descriptors.
#[must_use]
pub fn exposed(path: &Path) -> Option<String> {
    if is_inherited(path) { None } else { exposed_name(path) }
}

#[cfg(unix)]
fn exposed_name(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let (metadata, target) = (std::fs::metadata(path).ok()?, std::fs::canonicalize(path).ok()?);
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if is_foreign(owner) {
        return Some(format!("it belongs to another user (id {owner}); copy it to a file of your own"));
    }
    if mode & 0o022 != 0 {
        return Some(format!("its mode is {mode:04o}; run `chmod go-w` on it"));
    }
    // A link can be replaced in its own folder, and its target in the target's folder.
    exposed_folder(folder(path)).or_else(|| exposed_folder(folder(&target)))
}

#[cfg(not(unix))]
fn exposed_name(_path: &Path) -> Option<String> {
    None
}

/// How other users may replace the files in a folder, with the hint.
#[must_use]
pub fn exposed_folder(folder: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(folder).ok()?;
        let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
        if is_foreign(owner) {
            return Some(format!(
                "the folder {} belongs to another user (id {owner}); choose a folder of your own",
                folder.display()
            ));
        }
        // In a folder such as /tmp only a file's owner can replace it.
        if mode & 0o022 != 0 && mode & 0o1000 == 0 {
            return Some(format!("the mode of the folder {} is {mode:04o}; run `chmod go-w` on it", folder.display()));
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
    None
}

#[cfg(unix)]
fn is_foreign(owner: u32) -> bool {
    owner != 0 && owner != rustix::process::geteuid().as_raw()
}

/// Whether a path names a descriptor that the program inherited. Such a path is always a link.
#[must_use]
pub fn is_inherited(path: &Path) -> bool {
    let parts: Option<Vec<_>> = path
        .components()
        .map(|part| match part {
            Component::RootDir => Some(""),
            Component::Normal(part) => part.to_str(),
            Component::Prefix(_) | Component::CurDir | Component::ParentDir => None,
        })
        .collect();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    cfg!(unix)
        && match parts.as_deref() {
            Some(["", "dev", name]) => ["stdin", "stdout", "stderr"].contains(name),
            Some(["", "dev", "fd", number] | ["", "proc", "self", "fd", number]) => is_number(number),
            _ => false,
        }
}

/// Whether the opened file is still the one at the path. No link is followed.
///
/// # Errors
/// The operating system's.
#[cfg(unix)]
pub fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let opened = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(current) => Ok((opened.dev(), opened.ino()) == (current.dev(), current.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the opened file is still the one at the path.
///
/// Windows removes an open file if every handle shares deletion, as those of the standard library
/// do.
///
/// # Errors
/// The operating system's.
#[cfg(windows)]
pub fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    match open_unfollowed(path, File::options().read(true).write(true)) {
        Ok(current) => crate::windows::is_same_file(file, &current),
        Err(error) if error.kind() == io::ErrorKind::NotFound || crate::windows_sharing::may_be_busy(&error) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn check_own(path: &Path, metadata: &Metadata) -> io::Result<()> {
    check_regular(metadata.file_type())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let owner = metadata.uid();
        let is_trusted = || owner == 0 || std::fs::metadata(folder(path)).is_ok_and(|folder| folder.uid() == owner);
        if owner != rustix::process::geteuid().as_raw() && !is_trusted() {
            return Err(unfit(format!("it belongs to another user (id {owner})")));
        }
        if metadata.nlink() > 1 {
            return Err(unfit(format!("it has {} names, so it may be another file", metadata.nlink())));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, folder);
    Ok(())
}

fn check_regular(file_type: FileType) -> io::Result<()> {
    match what(file_type) {
        None => Ok(()),
        Some("a symbolic link") => Err(unfit("it is a symbolic link; name the file that it points to".to_owned())),
        Some(what) => Err(unfit(format!("it is {what}, not a regular file"))),
    }
}

/// The kind of a file that is not regular; `None` for a regular file.
pub fn what(file_type: FileType) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if file_type.is_fifo() {
            return Some("a FIFO");
        }
        if file_type.is_socket() {
            return Some("a socket");
        }
        if file_type.is_char_device() || file_type.is_block_device() {
            return Some("a device");
        }
    }
    match file_type {
        other if other.is_file() => None,
        other if other.is_dir() => Some("a folder"),
        other if other.is_symlink() => Some("a symbolic link"),
        _ => Some("something else"),
    }
}

/// Turns off `O_NONBLOCK`, so that reads and writes block again, as callers expect.
fn wait_again(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
        let flags = fcntl_getfl(file)?;
        if flags.contains(OFlags::NONBLOCK) {
            fcntl_setfl(file, flags - OFlags::NONBLOCK)?;
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

fn too_long(largest: u64) -> io::Error {
    unfit(format!("it has more than {largest} bytes"))
}

fn unfit(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
