//! Replacing a cache file, if it is still the one that was read.

use wasi::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use wasi::random::random::get_random_u64;

use crate::files::{self, Found};
use crate::lock::{Lock, NotLocked};
use crate::settings::Replace;
use crate::wit::cache_file::WriteError;

pub(crate) fn replace(how: Replace, found: &Found, expected: &str, content: &[u8]) -> Result<String, WriteError> {
    // A look ahead saves a wait for a lock that would be of no use.
    check(found, expected)?;
    let _lock = Lock::acquire(found).map_err(|error| match error {
        NotLocked::Held => WriteError::Locked,
        NotLocked::Failed(code) => error_of(found, "locking", code),
    })?;
    check(found, expected)?;
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
        Err(code) => Err(error_of(found, "looking at", code)),
    }
}

/// Keeps the file's mode and owner. The new text comes before the old length goes, so that the file is never empty.
fn write_over(found: &Found, content: &[u8]) -> Result<String, WriteError> {
    let failed = |code| error_of(found, "writing", code);
    let file = found.open(DescriptorFlags::READ | DescriptorFlags::WRITE).map_err(failed)?;
    files::write(&file, content).map_err(failed)?;
    file.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX)).map_err(failed)?;
    file.sync().map_err(failed)?;
    found.state(&file).map(|state| state.version()).map_err(failed)
}

fn rename_over(found: &Found, content: &[u8]) -> Result<String, WriteError> {
    let temporary = format!("{}.{:016x}.tmp", found.path, get_random_u64());
    let write = || {
        let flags = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        let access = DescriptorFlags::READ | DescriptorFlags::WRITE;
        let file = found.folder.open_at(PathFlags::empty(), &temporary, flags, access)?;
        files::write(&file, content)?;
        file.sync()?;
        found.folder.rename_at(&temporary, &found.folder, &found.path)?;
        found.state(&found.open(DescriptorFlags::READ)?)
    };
    write().map(|state| state.version()).map_err(|code| {
        let _ = found.folder.unlink_file_at(&temporary);
        error_of(found, "replacing", code)
    })
}

fn error_of(found: &Found, doing: &str, code: ErrorCode) -> WriteError {
    let why = found.error(doing, code);
    match code {
        ErrorCode::Access | ErrorCode::NotPermitted | ErrorCode::ReadOnly => WriteError::Denied(why),
        _ => WriteError::Failed(why),
    }
}
