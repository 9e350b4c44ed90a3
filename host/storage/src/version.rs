//! Versions: texts that name a state of a document.

use std::fmt::{self, Write};
use std::fs::Metadata;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Identifies a state of a file: every writer changes its time or its size, or replaces it by
/// another file.
pub(crate) fn of_file(metadata: &Metadata) -> String {
    let mut version = String::new();
    // Writing to a text does not fail.
    let _ = write(metadata, &mut version);
    version
}

/// Whether a file is in this state. Builds no text: this is asked for every warm call.
pub(crate) fn is_of_file(metadata: &Metadata, known: &str) -> bool {
    let mut rest = Same(known);
    write(metadata, &mut rest).is_ok() && rest.0.is_empty()
}

/// Takes the text that it holds, and fails at another one.
struct Same<'a>(&'a str);

impl Write for Same<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}

fn write(metadata: &Metadata, to: &mut impl Write) -> fmt::Result {
    let modified = modified(metadata).as_nanos();
    #[cfg(unix)]
    let inode = {
        use std::os::unix::fs::MetadataExt as _;
        metadata.ino()
    };
    #[cfg(not(unix))]
    let inode = 0;
    write!(to, "{modified:x}.{:x}.{inode:x}", metadata.len())
}

/// Marks a version that a later write may leave unchanged. No file ever matches it, so its reader
/// can use the document once, but can neither cache nor replace it.
pub(crate) fn passing(version: String) -> String {
    version + "?"
}

/// How long ago the file was written. A time in the future counts as long ago.
pub(crate) fn age(metadata: &Metadata) -> Duration {
    metadata.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or(Duration::MAX)
}

/// When a signal file was last touched; `None` if it is missing.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) fn signal(path: &Path) -> Option<u128> {
    std::fs::metadata(path).ok().map(|metadata| modified(&metadata).as_nanos())
}

fn modified(metadata: &Metadata) -> Duration {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    modified.unwrap_or_default()
}
