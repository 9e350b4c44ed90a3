//! Versions: texts that name a state of a document.

use std::fs::Metadata;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Names a state of a file: a writer changes its time, its size, or puts another file in its place.
pub(crate) fn of_file(metadata: &Metadata) -> String {
    let modified = modified(metadata).as_nanos();
    #[cfg(unix)]
    let inode = {
        use std::os::unix::fs::MetadataExt as _;
        metadata.ino()
    };
    #[cfg(not(unix))]
    let inode = 0;
    format!("{modified:x}.{:x}.{inode:x}", metadata.len())
}

/// Names a state that a later write may leave looking the same. No file is ever at this version, so whoever has read it may use what he
/// read, but can neither keep nor replace it.
pub(crate) fn passing(version: String) -> String {
    version + "?"
}

/// How long ago the file was written; a time in the future says nothing and counts as long ago.
pub(crate) fn age(metadata: &Metadata) -> Duration {
    metadata.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or(Duration::MAX)
}

/// When a signal file was touched last; `None` if there is none.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) fn signal(path: &Path) -> Option<u128> {
    std::fs::metadata(path).ok().map(|metadata| modified(&metadata).as_nanos())
}

fn modified(metadata: &Metadata) -> Duration {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    modified.unwrap_or_default()
}
