//! Replaces a cache file if it is still at the version that was read (compare-and-swap).

use wasi::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use wasi::random::random::get_random_u64;

use crate::files::{self, Doing, Found, length};
use crate::lock::{Lock, NotLocked};
use crate::settings::Replace;
use crate::wit::cache_file::WriteError;

pub(crate) fn replace(how: Replace, found: &Found, expected: &str, content: &[u8]) -> Result<String, WriteError> {
    // An early check saves waiting for a lock after a conflict.
    check(found, expected)?;
    let lock = Lock::acquire(found).map_err(|error| match error {
        NotLocked::Held => WriteError::Locked,
        NotLocked::Failed(code) => error_of(found, Doing::Locking, code),
    })?;
    check(found, expected)?;
    if !lock.is_held() {
        return Err(WriteError::Conflict);
    }
    match how {
        Replace::InPlace => write_over(found, content),
        Replace::Rename => rename_over(found, content),
    }
}

fn check(found: &Found, expected: &str) -> Result<(), WriteError> {
    let state = found.open(DescriptorFlags::READ).and_then(|file| found.state(&file));
    match state {
        Ok(state) if state.version() == expected => Ok(()),
        Ok(_) | Err(ErrorCode::NoEntry) => Err(WriteError::Conflict),
        Err(code) => Err(error_of(found, Doing::Reading, code)),
    }
}

/// Overwrites the file, which keeps its mode and owner. Errors are rolled back; a crash during the
/// overwrite is not. A backup beside the file would allow recovery, but the host's umask could make
/// it readable for other users.
fn write_over(found: &Found, content: &[u8]) -> Result<String, WriteError> {
    let failed = |code| error_of(found, Doing::Writing, code);
    let file = found.open(DescriptorFlags::READ | DescriptorFlags::WRITE).map_err(failed)?;
    let size = found.state(&file).map_err(failed)?.size;
    let old = files::read(&file, size).map_err(failed)?;
    if let Err(code) = make_room(&file, size, length(content)) {
        let _ = file.set_size(size);
        return Err(failed(code));
    }
    if let Err(code) = write_whole(&file, content) {
        return Err(match write_whole(&file, &old) {
            Ok(()) => failed(code),
            Err(_) => WriteError::Failed(format!(
                "{}; the file is partly overwritten, so it is damaged now: sign in again",
                found.error(Doing::Writing, code)
            )),
        });
    }
    found.state(&file).map(|state| state.version()).map_err(failed)
}

/// Appends blanks, which do not change the document. Once they are stored, the disk has room for
/// the whole new text, before any of the old one is overwritten.
fn make_room(file: &Descriptor, size: u64, wanted: u64) -> Result<(), ErrorCode> {
    let Some(missing) = wanted.checked_sub(size).filter(|missing| *missing > 0) else { return Ok(()) };
    files::write_at(file, &vec![b' '; usize::try_from(missing).map_err(|_| ErrorCode::FileTooLarge)?], size)?;
    file.sync()
}

/// Writes before it truncates, so that the file is never empty.
fn write_whole(file: &Descriptor, content: &[u8]) -> Result<(), ErrorCode> {
    files::write_at(file, content, 0)?;
    file.set_size(length(content))?;
    file.sync()
}

fn rename_over(found: &Found, content: &[u8]) -> Result<String, WriteError> {
    let temporary = format!("{}.{:016x}.tmp", found.path, get_random_u64());
    let write = || {
        let flags = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        let access = DescriptorFlags::READ | DescriptorFlags::WRITE;
        let file = found.folder.open_at(PathFlags::empty(), &temporary, flags, access)?;
        write_whole(&file, content)?;
        found.folder.rename_at(&temporary, &found.folder, &found.path)?;
        // Until the folder is synced, a power cut may bring the old file back, which is whole too.
        let _ = sync_folder(found);
        found.state(&found.open(DescriptorFlags::READ)?)
    };
    write().map(|state| state.version()).map_err(|code| {
        let _ = found.folder.unlink_file_at(&temporary);
        error_of(found, Doing::Writing, code)
    })
}

fn sync_folder(found: &Found) -> Result<(), ErrorCode> {
    let Some((folder, _)) = found.path.rsplit_once('/') else { return found.folder.sync() };
    found.folder.open_at(PathFlags::empty(), folder, OpenFlags::DIRECTORY, DescriptorFlags::READ)?.sync()
}

fn error_of(found: &Found, doing: Doing, code: ErrorCode) -> WriteError {
    let why = found.error(doing, code);
    match code {
        ErrorCode::Access | ErrorCode::NotPermitted | ErrorCode::ReadOnly => WriteError::Denied(why),
        _ => WriteError::Failed(why),
    }
}
