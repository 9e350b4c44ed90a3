//! The check at the start whether a token file can be written. Later failures are only logged.

use std::io;
use std::path::Path;

use shared_token_cache_storage::files;

use super::{Readers, folder, new, place};

/// Examines a token file's path and folder, and removes files that killed agents have left there.
///
/// # Errors
/// The fault, with a hint.
pub(crate) fn check(path: &Path, readers: Readers) -> Result<(), String> {
    let folder = folder(path);
    if !folder.is_dir() {
        return Err("there is no such folder; make it, for its owner only".into());
    }
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => match files::what(metadata.file_type()) {
            Some(what) => return Err(format!("it is {what}; remove it, or choose another path")),
            None if is_mounted(path) => return Err(MOUNTED.into()),
            None => {
                place::open(path).map_err(|error| error.to_string())?;
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(format!("it cannot be examined: {error}")),
    }
    new::remove_left(folder);
    new::attempt(path, readers).map_err(|error| reason(&error))
}

/// The reason why a token file can't be written, with a hint that the system's error lacks.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ResourceBusy => format!("{MOUNTED} ({error})"),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem if error.raw_os_error().is_some() => {
            format!("{error}; make its folder writable for the agent's user")
        }
        _ => error.to_string(),
    }
}

const MOUNTED: &str = "it is mounted as a single file, which cannot be replaced; mount its folder instead";

/// Whether the file itself is a mount point. Older kernels do not report it; then the first write
/// fails with the same text.
#[cfg(target_os = "linux")]
fn is_mounted(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE)
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
fn is_mounted(_path: &Path) -> bool {
    false
}
