//! Diagnosis of a cache's place, for a user who gets no tokens.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::lock;
use crate::open;
use crate::{Leniency, ReadError, Rules};

/// The most bytes shown of a lock file's text.
const LONGEST_SIGNATURE: u64 = 120;

/// The result of a diagnosis. It holds nothing of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Examination {
    /// The place in words, such as `file /home/user0/.azure/msal_token_cache.json`.
    pub place: String,
    /// Whether a document was found.
    pub found: bool,
    /// Whether documents in this place are encrypted.
    pub encrypted: bool,
    /// The document's size on disk, or in the keyring.
    pub bytes: Option<u64>,
    /// The lock that a program holds or has left behind.
    pub lock: Option<HeldLock>,
    /// Unusual properties of the place.
    pub notes: Vec<ExaminationNote>,
    /// Files nearby that the user may have meant, where no document was found.
    pub near: Vec<ExaminationNote>,
}

/// A finding, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExaminationNote {
    /// The finding.
    pub what: String,
    /// What to do about it, as a sentence.
    pub next: String,
}

impl std::fmt::Display for ExaminationNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}. {}", self.what, self.next)
    }
}

/// A lock file that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldLock {
    /// The lock file.
    pub path: PathBuf,
    /// The text that its holder wrote into it: usually the process id and the program.
    pub holder: String,
    /// Whether its holder is gone, so that the next writer takes it over.
    pub stale: bool,
    /// Why no program of this user can take it, with the hint: it belongs to another user, for
    /// example.
    pub problem: Option<String>,
}

/// Examines a file.
pub(crate) fn file(path: &Path, rules: &Rules, encrypted: bool) -> Examination {
    let mut notes = Vec::new();
    let mut bytes = None;
    let mut found = true;
    // All findings are reported, including those that the rules refuse.
    let lenient = Rules { loose_permissions: Leniency::Warn, other_owner: Leniency::Warn, ..rules.clone() };
    let looked = open::resolve(path, rules).and_then(|path| {
        let metadata = open::open(&path)?.metadata().map_err(|error| open::io_error("looking at", &path, error))?;
        bytes = Some(metadata.len());
        open::inspect(&path, &metadata, &lenient)
    });
    match looked {
        Ok(None) | Err(ReadError::NotFound(_)) => {}
        Ok(Some(what)) => notes.push(ExaminationNote { what, next: "Only its owner should be able to use it.".into() }),
        Err(error) => {
            notes.push(ExaminationNote {
                what: error.to_string(),
                next: "It has to be a file of your own that you may read.".into(),
            });
        }
    }
    if bytes.is_none() && std::fs::symlink_metadata(path).is_err() {
        found = false;
    }
    Examination {
        place: format!("file {}", path.display()),
        found,
        encrypted,
        bytes,
        lock: held_lock(path),
        notes,
        near: Vec::new(),
    }
}

/// The lock of a cache file, if its lock file is there.
pub(crate) fn held_lock(cache: &Path) -> Option<HeldLock> {
    let path = lock::path_of(cache);
    std::fs::symlink_metadata(&path).ok()?;
    let mut signature = Vec::new();
    if let Ok(file) = open::open(&path) {
        // A lock that can't be read has a problem, and no holder.
        let _ = file.take(LONGEST_SIGNATURE).read_to_end(&mut signature);
    }
    let holder = String::from_utf8_lossy(&signature).trim().to_owned();
    let problem = lock::Lock::problem(cache);
    Some(HeldLock { path, holder, stale: problem.is_none() && lock::Lock::is_abandoned(cache), problem })
}
