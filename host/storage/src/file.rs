//! A cache document in a file.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tempfile::NamedTempFile;

use crate::busy::may_be_busy;
use crate::examine::{self, Examination};
use crate::lock::Lock;
use crate::open::{self, io_error, unusable};
use crate::problem::{kept_open, write_error};
use crate::protection::{Opened, Protection, is_json};
use crate::{Document, Read, ReadError, Rules, Store, WriteError, version};

/// How long a document that is not JSON is read again before it counts as damaged: MSAL for Python writes in place, so a reader
/// can see half of a document.
const TORN_READ_PATIENCE: Duration = Duration::from_millis(400);
const TORN_READ_PAUSE: Duration = Duration::from_millis(20);

/// How long a file that another program has open is tried to be replaced, on Windows: as long as a program may take to read it, or a
/// virus scanner.
const BUSY_PATIENCE: Duration = Duration::from_secs(1);
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// A document that was last written longer ago than this is nobody's half-written one.
const JUST_WRITTEN: Duration = Duration::from_secs(2);

/// Times of files advance in steps, of up to 4 ms on Linux and 16 ms on Windows, so a file that was written in place twice within one
/// may look like one that was written once. Its version means something only when the step is over.
const TICK: Duration = Duration::from_millis(if cfg!(windows) { 20 } else { 10 });

/// A file that holds a cache document.
#[derive(Debug, Clone)]
pub struct FileStore {
    path: PathBuf,
    rules: Rules,
    protection: Protection,
}

impl FileStore {
    /// A store for a document in plain text.
    #[must_use]
    pub fn new(path: PathBuf, rules: Rules) -> Self {
        Self { path, rules, protection: Protection::None }
    }

    /// A store for a document that Windows encrypts for its user.
    #[cfg(windows)]
    pub(crate) fn encrypted(path: PathBuf, rules: Rules) -> Self {
        Self { path, rules, protection: Protection::Dpapi }
    }

    /// The file's metadata, found as a read would find it.
    fn metadata(&self) -> Option<Metadata> {
        let metadata = std::fs::symlink_metadata(&self.path).ok()?;
        if !metadata.is_symlink() {
            return Some(metadata);
        }
        std::fs::symlink_metadata(open::resolve(&self.path, &self.rules).ok()?).ok()
    }

    /// The document in the file's bytes; `None` for what may be a half-written one.
    fn document(&self, content: Vec<u8>, metadata: &Metadata, last: bool) -> Result<Option<Document>, ReadError> {
        let half_written = !last && version::age(metadata) < JUST_WRITTEN;
        let Opened { content, was_plain } = match self.protection.open(content) {
            Ok(opened) => opened,
            Err(_) if half_written => return Ok(None),
            Err(why) => return Err(unusable(&self.path, &why)),
        };
        if half_written && !is_json(&content) {
            return Ok(None);
        }
        let unencrypted = was_plain.then(|| format!("in the file {}", self.path.display()));
        Ok(Some(Document { version: version::of_file(metadata), content, unencrypted }))
    }
}

impl Store for FileStore {
    fn guarded(&self) -> &Path {
        &self.path
    }

    fn is_at(&self, known: &str) -> bool {
        self.metadata().is_some_and(|metadata| version::of_file(&metadata) == known)
    }

    fn read(&self, known: Option<&str>) -> Result<Read, ReadError> {
        let rules = &self.rules;
        let path = &open::resolve(&self.path, rules)?;
        let deadline = Instant::now() + TORN_READ_PATIENCE;
        let mut settled = false;
        loop {
            let mut file = match open::open(path) {
                Ok(file) => file,
                Err(ReadError::Io { source, .. }) if may_be_busy(&source) && Instant::now() < deadline => {
                    std::thread::sleep(TORN_READ_PAUSE);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let before = file.metadata().map_err(|source| io_error("looking at", path, source))?;
            let warning = open::inspect(path, &before, rules)?;
            if known.is_some_and(|known| known == version::of_file(&before)) {
                return Ok(Read::Unchanged);
            }
            let mut content = Vec::with_capacity(usize::try_from(before.len()).unwrap_or_default());
            // One byte more than allowed tells a file that grew.
            (&mut file)
                .take(rules.largest + 1)
                .read_to_end(&mut content)
                .map_err(|source| io_error("reading", path, source))?;
            let after = file.metadata().map_err(|source| io_error("looking at", path, source))?;
            open::check_size(path, after.len(), rules)?;

            let stable = version::of_file(&before) == version::of_file(&after);
            if stable && version::age(&after) < TICK && !settled {
                settled = true;
                std::thread::sleep(TICK);
                continue;
            }
            let last = Instant::now() >= deadline;
            if (stable || last)
                && let Some(document) = self.document(content, &after, last)?
            {
                if let Some(warning) = warning {
                    tracing::warn!("{warning}");
                }
                return Ok(Read::Document(document));
            }
            std::thread::sleep(TORN_READ_PAUSE);
        }
    }

    fn replace(&self, expected: &str, content: &[u8]) -> Result<String, WriteError> {
        // Programs that follow the link look for the lock beside it; what is replaced is the file that it points to.
        let path = &open::resolve(&self.path, &self.rules).map_err(|error| WriteError::Unusable(error.to_string()))?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let failed = |action| move |source| write_error(action, path, source);
        let content = self.protection.close(content).map_err(WriteError::Unusable)?;

        let _lock = Lock::acquire(&self.path)?;
        if !self.is_at(expected) {
            return Err(WriteError::Conflict);
        }
        let mut temporary = create_temporary(folder).map_err(failed("writing beside"))?;
        temporary.write_all(&content).map_err(failed("writing beside"))?;
        // MSAL for Python compares the file's time with the clock, which is ahead of the coarse time that the kernel would set.
        temporary.as_file().set_modified(SystemTime::now()).map_err(failed("writing beside"))?;
        temporary.as_file().sync_all().map_err(failed("writing beside"))?;
        let deadline = Instant::now() + BUSY_PATIENCE;
        loop {
            // Programs that know no lock may have been faster.
            if !self.is_at(expected) {
                return Err(WriteError::Conflict);
            }
            match std::fs::rename(temporary.path(), path) {
                Ok(()) => break,
                Err(error) if may_be_busy(&error) && Instant::now() < deadline => std::thread::sleep(BUSY_PAUSE),
                Err(error) if may_be_busy(&error) => return Err(kept_open(path, &error)),
                Err(error) => return Err(failed("replacing")(error)),
            }
        }
        temporary.disable_cleanup(true);
        let file = temporary.into_file();
        sync_folder(folder).map_err(failed("syncing the folder of"))?;
        let metadata = file.metadata().map_err(failed("looking at"))?;
        Ok(version::of_file(&metadata))
    }

    fn examine(&self) -> Examination {
        examine::file(&self.path, &self.rules, self.protection != Protection::None)
    }
}

/// A new file that is removed should anything fail; only its user may read it.
#[cfg(unix)]
fn create_temporary(folder: &Path) -> io::Result<NamedTempFile> {
    // tempfile makes it with mode 0600.
    NamedTempFile::new_in(folder)
}

/// A new file that is removed should anything fail. The folder says who may read it.
#[cfg(windows)]
fn create_temporary(folder: &Path) -> io::Result<NamedTempFile> {
    // tempfile alone would mark it as temporary: Windows then puts off writing it to the disk, and the mark would stay.
    let create = |path: &Path| File::options().create_new(true).read(true).write(true).open(path);
    tempfile::Builder::new().make_in(folder, create)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows has no folders that can be synced.
#[cfg(windows)]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
#[cfg(test)]
#[cfg(windows)]
mod windows_tests;
