//! Checks of a token file's path before the file is replaced.

use std::fs::{File, Metadata, TryLockError};
use std::io::{self, Read as _};
use std::path::Path;

use shared_token_cache_storage::files;
use zeroize::Zeroizing;

/// Tickets of personal accounts are longer; a shorter word is a key or a name.
const SHORTEST_TICKET: usize = 200;

/// Larger files hold no token.
const LONGEST: u64 = 1 << 20;

/// The state of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing that a replacement would lose.
    Free,
    /// A token file with a live agent.
    OfAnother,
}

/// Examines a path before a token file is written there.
///
/// # Errors
/// If the path holds anything that is not a token, with a hint; or if it cannot be examined.
pub(super) fn look(path: &Path) -> io::Result<Place> {
    let metadata = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::Free),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() || has_other_names(&metadata) {
        // The rename replaces only the name, and fails on a folder.
        return Ok(Place::Free);
    }
    open(path)
}

/// Examines a file that is to be replaced.
///
/// # Errors
/// If it holds anything but a token, or cannot be read; with a hint.
pub(super) fn open(path: &Path) -> io::Result<Place> {
    let file = own(path)?;
    // An agent locks its file. On a file system without locks, the last agent to write wins.
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Ok(Place::OfAnother);
    }
    check(&file)?;
    Ok(Place::Free)
}

fn own(path: &Path) -> io::Result<File> {
    files::own(path, File::options().read(true)).map_err(|error| {
        let why =
            format!("its content cannot be read, so it is not replaced ({error}); remove it, or choose another path");
        io::Error::new(error.kind(), why)
    })
}

/// Whether the file at a path has this content.
pub(super) fn holds(path: &Path, content: &[u8]) -> io::Result<bool> {
    Ok(*read(&files::own(path, File::options().read(true))?)? == content)
}

/// The content, up to the size limit of a token.
fn read(file: &File) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = usize::try_from(file.metadata()?.len().min(LONGEST)).unwrap_or_default();
    // Reads into one buffer: a reallocation would leave a copy behind.
    let mut content = Zeroizing::new(Vec::with_capacity(length.saturating_add(64)));
    file.take(LONGEST).read_to_end(&mut content)?;
    Ok(content)
}

/// Refuses a file that holds anything but a token.
pub(super) fn check(file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    if length == 0 || (length < LONGEST && could_be_a_token(&read(file)?)) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "it holds something other than a token, which would be lost; choose another path, or move that file away",
    ))
}

/// Whether an agent could have written this: one line, perhaps with the line break that an editor
/// adds, which is a JSON Web Token (RFC 7519; five parts if encrypted, RFC 7516) or a personal
/// account's ticket. Nothing else counts, because keys and passwords of other programs are single
/// words too.
fn could_be_a_token(content: &[u8]) -> bool {
    let line = content.strip_suffix(b"\n").unwrap_or(content);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    is_web_token(line) || is_ticket(line)
}

/// The first part is a JSON object in Base64, so it begins with `{"`.
fn is_web_token(line: &[u8]) -> bool {
    let mut parts = 0_usize;
    let are_base64 = line.split(|byte| *byte == b'.').all(|part| {
        parts += 1;
        part.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
    });
    line.starts_with(b"eyJ") && are_base64 && matches!(parts, 3 | 5)
}

/// Tickets are opaque. All observed ones are long and begin with these characters.
fn is_ticket(line: &[u8]) -> bool {
    let unfilled = line.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let body = line.get(..unfilled).unwrap_or_default();
    line.len() >= SHORTEST_TICKET
        && body.starts_with(b"Ew")
        && body.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
}

fn has_other_names(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        metadata.nlink() > 1
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

/// The metadata by which a changed or replaced file is detected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    identity: (u64, u64),
    #[cfg(unix)]
    readers: (u32, u32, u32),
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            identity: (metadata.dev(), metadata.ino()),
            #[cfg(unix)]
            readers: (metadata.mode(), metadata.uid(), metadata.gid()),
        }
    }

    /// Whether only the time differs.
    pub(super) fn differs_in_time_only(&self, other: &Self) -> bool {
        Self { modified: other.modified, ..self.clone() } == *other
    }

    /// The stamp of the file at a path; `None` without a file.
    pub(super) fn at(path: &Path) -> Option<Self> {
        std::fs::symlink_metadata(path).ok().as_ref().map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_possible_token_is_distinguished_from_other_files() {
        let ticket = format!("EwBwA8l6BAAUkj1+{}NuQ==", "a".repeat(200));
        for token in ["eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJ4In0.c2ln", "eyJhbGciOiJkaXIifQ..aXY.dGV4dA.dGFn", &ticket] {
            for end in ["", "\n", "\r\n"] {
                assert!(could_be_a_token(format!("{token}{end}").as_bytes()), "{token:?}{end:?}");
            }
            for other in [format!("{token}\n\n"), format!("{token} "), format!("{token}\n{token}"), format!(" {token}")]
            {
                assert!(!could_be_a_token(other.as_bytes()), "{other:?}");
            }
        }
        for other in [
            "x",
            // Secrets of other programs that are one word.
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
            "AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSXQLR4E",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "https://user:pw@host.example/path/to/some/thing/long",
            "1.AXoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AgABAwEAAAA",
            "eyJhbGciOiJub25lIn0",
            "eyJhbGciOiJub25lIn0.e30",
            "EwBwA8l6BAAUkj1+NuQ==",
            "notes",
            "one-word\n",
            "4711",
            "12345678901234567890",
            "{\"AccessToken\":{},\"Account\":{}}",
            "[[caches]]",
            "name=\"a-long-enough-value\"",
            "TOKEN=a-long-enough-value",
            "-----BEGIN-CERTIFICATE-----",
            "/home/user0/some/folder",
            "notes about this and that",
            "4711 shared-token-cache",
            "ein-Wort-mit-ü-in-der-Mitte",
            "================",
            "a-long-enough-text\0",
        ] {
            assert!(!could_be_a_token(other.as_bytes()), "{other:?}");
        }
    }

    #[test]
    fn a_file_that_would_be_lost_is_refused_and_one_of_a_live_agent_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert_eq!(look(&path).unwrap(), Place::Free);
        for (content, is_free) in [("", true), ("eyJ0eXAiOiJKV1QifQ.e30.c2ln", true), ("some notes", false)] {
            fs::write(&path, content).unwrap();
            assert_eq!(look(&path).is_ok(), is_free, "{content:?}");
        }
        fs::write(&path, vec![b'a'; 1 + (1 << 20)]).unwrap();
        assert!(look(&path).is_err());
        fs::write(&path, "").unwrap();
        let other = File::open(&path).unwrap();
        other.try_lock().unwrap();
        assert_eq!(look(&path).unwrap(), Place::OfAnother);
    }
}
