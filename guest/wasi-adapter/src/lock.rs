//! The lock that writers of a cache share: `<cache file>.lockfile`, created exclusively and removed.
//!
//! WASI 0.2 has no advisory locks and no process ids. So a writer that locks the file without minding that it exists (MSAL.NET,
//! portalocker) is not kept out, only found out by the version; and a lock that a crash left behind is never taken over, unless
//! another adapter's signature is on it and it is far older than any adapter holds one.

use std::time::Duration;

use wasi::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

use crate::files::{self, Found};
use crate::pause::{self, pause};

const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// In place of `<pid> <program>`: 0 is no process.
const SIGNATURE: &[u8] = b"0 shared-token-cache-wasi-adapter";

/// An adapter holds a lock while it writes one file.
const STALE_SECONDS: u64 = 60;

/// The lock, held until it is dropped.
pub(crate) struct Lock<'a> {
    folder: &'a Descriptor,
    path: String,
}

/// Why the lock can't be had.
pub(crate) enum NotLocked {
    Held,
    Failed(ErrorCode),
}

impl<'a> Lock<'a> {
    pub(crate) fn acquire(found: &'a Found) -> Result<Self, NotLocked> {
        let (folder, path) = (&found.folder, format!("{}.lockfile", found.path));
        let deadline = pause::now() + PATIENCE;
        loop {
            let flags = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
            match folder.open_at(PathFlags::empty(), &path, flags, DescriptorFlags::WRITE) {
                Ok(file) => {
                    let lock = Self { folder, path };
                    // Whoever finds the file unsigned waits for it just the same.
                    let _ = files::write(&file, SIGNATURE);
                    return Ok(lock);
                }
                Err(ErrorCode::Exist) if pause::now() < deadline => {
                    if !remove_stale(folder, &path) {
                        pause(PAUSE);
                    }
                }
                Err(ErrorCode::Exist) => return Err(NotLocked::Held),
                Err(code) => return Err(NotLocked::Failed(code)),
            }
        }
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if let Err(code) = self.folder.unlink_file_at(&self.path) {
            crate::log::warn(&format!("the lock {} could not be removed: `{}`", self.path, code.name()));
        }
    }
}

/// Removes a lock that an adapter left behind; whether there was one.
fn remove_stale(folder: &Descriptor, path: &str) -> bool {
    let Ok(file) = folder.open_at(PathFlags::empty(), path, OpenFlags::empty(), DescriptorFlags::READ) else {
        return false;
    };
    let modified = file.stat().ok().and_then(|status| status.data_modification_timestamp);
    let (now, _) = files::now();
    let stale = modified.is_some_and(|time| now.saturating_sub(time.seconds) > STALE_SECONDS);
    let ours = files::read(&file, 64).is_ok_and(|content| content == SIGNATURE);
    stale && ours && folder.unlink_file_at(path).is_ok()
}
