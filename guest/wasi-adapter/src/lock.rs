//! The lock file of a cache file, `<cache file>.lockfile`, created exclusively and removed
//! afterwards.
//!
//! WASI 0.2 has no advisory locks and no process ids. So a writer that uses an advisory lock and
//! ignores an existing file (MSAL.NET, portalocker) is not excluded; its write is only detected by
//! the version. A lock that a crash left behind is taken over only if it has an adapter's signature
//! and is far older than an adapter holds one.

use std::time::Duration;

use wasi::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

use crate::files::{self, Found};
use crate::pause::{self, pause};
use crate::stderr::warn;

const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// In place of `<pid> <program>`: no process has the id 0.
const SIGNATURE: &[u8] = b"0 shared-token-cache-wasi-adapter";

/// An adapter holds a lock only while it writes one file.
const STALE_SECONDS: u64 = 60;

/// The lock, held until it is dropped.
pub(crate) struct Lock<'a> {
    folder: &'a Descriptor,
    path: String,
    file: Descriptor,
}

/// Why the lock was not acquired.
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
                    // Other programs also wait for an unsigned file.
                    let _ = files::write_at(&file, SIGNATURE, 0);
                    return Ok(Self { folder, path, file });
                }
                Err(ErrorCode::Exist) if pause::now() < deadline => {
                    if !remove_stale(folder, &path) {
                        pause(PAUSE);
                    }
                }
                Err(ErrorCode::Exist) => {
                    warn(&hint(found, read(folder, &path)));
                    return Err(NotLocked::Held);
                }
                Err(code) => return Err(NotLocked::Failed(code)),
            }
        }
    }

    /// Whether the lock still excludes other programs. A program that ignores an existing file
    /// removes it when it is done.
    pub(crate) fn is_held(&self) -> bool {
        is_still_at(self.folder, &self.path, &self.file)
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // A different file at the path is another program's lock.
        if !self.is_held() {
            return;
        }
        if let Err(code) = self.folder.unlink_file_at(&self.path) {
            warn(&format!("cannot remove the lock {}: `{}`", self.path, code.name()));
        }
    }
}

/// An existing lock file.
struct Seen {
    file: Descriptor,
    text: Vec<u8>,
    /// In seconds; `None` if the host does not report times.
    age: Option<u64>,
}

fn read(folder: &Descriptor, path: &str) -> Option<Seen> {
    let file = files::open(folder, path, DescriptorFlags::READ).ok()?;
    let modified = file.stat().ok()?.data_modification_timestamp;
    let (now, _) = files::now();
    let age = modified.map(|time| now.saturating_sub(time.seconds));
    let text = files::read(&file, 64).ok()?;
    Some(Seen { file, text, age })
}

/// Removes a lock that an adapter left behind; returns whether it did.
fn remove_stale(folder: &Descriptor, path: &str) -> bool {
    let Some(seen) = read(folder, path) else { return false };
    is_stale(&seen.text, seen.age)
        // Another program may have removed it and locked since.
        && is_still_at(folder, path, &seen.file)
        && folder.unlink_file_at(path).is_ok()
}

fn is_stale(text: &[u8], age: Option<u64>) -> bool {
    text == SIGNATURE && age.is_some_and(|age| age > STALE_SECONDS)
}

fn is_still_at(folder: &Descriptor, path: &str, file: &Descriptor) -> bool {
    let opened = file.metadata_hash().map(|hash| (hash.lower, hash.upper));
    let current = folder.metadata_hash_at(PathFlags::empty(), path).map(|hash| (hash.lower, hash.upper));
    opened.is_ok() && opened.ok() == current.ok()
}

/// The hint for a lock that stays.
fn hint(found: &Found, seen: Option<Seen>) -> String {
    let holder = seen.as_ref().and_then(|seen| holder(&seen.text));
    let by = holder.map_or_else(|| "another program".to_owned(), |holder| format!("`{holder}`"));
    let since = seen.and_then(|seen| seen.age).map_or_else(String::new, |age| format!(" for {age} s"));
    format!("the lock {}.lockfile is held by {by}{since}; if that program has ended, remove the file", found.shown)
}

/// The process id and program in a lock, if they are printable.
fn holder(text: &[u8]) -> Option<&str> {
    let text = str::from_utf8(text).ok()?.trim();
    let good = !text.is_empty() && text.chars().all(|char| !char.is_control() && char != '`');
    good.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_old_lock_of_an_adapter_is_stale() {
        for (text, age, stale) in [
            (SIGNATURE, Some(61), true),
            (SIGNATURE, Some(60), false),
            (SIGNATURE, None, false),
            (b"0 shared-token-cache-wasi-adapter.".as_slice(), Some(1_000_000), false),
            (b"4711 python", Some(1_000_000), false),
            (b"", Some(1_000_000), false),
        ] {
            assert_eq!(is_stale(text, age), stale, "{text:?} {age:?}");
        }
    }

    #[test]
    fn a_holder_is_shown_if_it_is_printable() {
        assert_eq!(holder(b"4711 /usr/bin/python3\n"), Some("4711 /usr/bin/python3"));
        for text in [b"".as_slice(), b"\xff", b"1 a\nb", b"1 `a`"] {
            assert_eq!(holder(text), None, "{text:?}");
        }
    }
}
