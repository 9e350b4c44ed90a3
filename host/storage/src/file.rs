//! A cache document in a file.

#[cfg(unix)]
use std::fs::File;
use std::fs::Metadata;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use zeroize::Zeroizing;

use crate::busy::may_be_busy;
use crate::examine::{self, Examination};
use crate::foreign;
use crate::lock::Lock;
use crate::open::{self, io_error, unusable};
use crate::problem::{kept_open, write_error};
use crate::protection::{Opened, Protection, is_json};
use crate::{Document, Read, ReadError, Rules, Store, WriteError, temporary, version};

/// How long a document that is not JSON is read again before it counts as damaged: MSAL for Python writes in place, so a reader
/// can see half of a document. As long as MSAL itself tries; on a busy machine a writer may rest before the first byte.
const TORN_READ_PATIENCE: Duration = Duration::from_secs(1);
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

    /// The file's state after one reading.
    fn attempt(&self, path: &Path, known: Option<&str>) -> Result<Attempt, ReadError> {
        let looked = |source| io_error("looking at", path, source);
        let mut file = open::open(path)?;
        let mut before = file.metadata().map_err(looked)?;
        let warning = open::inspect(path, &before, &self.rules)?;
        if known.is_some_and(|known| known == version::of_file(&before)) {
            return Ok(Attempt::Unchanged);
        }
        if version::age(&before) < TICK {
            // A file that took the place of the last one stays as it is, so waiting here is enough even if another one takes its place.
            std::thread::sleep(TICK);
            before = file.metadata().map_err(looked)?;
        }
        // One byte more than expected tells a file that grew. There is room for it: a buffer that moves leaves a copy behind.
        let most = before.len().min(self.rules.largest) + 1;
        let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(most).unwrap_or_default()));
        (&mut file).take(most).read_to_end(&mut content).map_err(|source| io_error("reading", path, source))?;
        let after = file.metadata().map_err(looked)?;
        open::check_size(path, after.len(), &self.rules)?;

        let version = version::of_file(&after);
        if version != version::of_file(&before) {
            return Ok(Attempt::Torn);
        }
        let opened = self.protection.open(content);
        // What has not been written just now is nobody's half-written document.
        let whole =
            version::age(&after) >= JUST_WRITTEN || opened.as_ref().is_ok_and(|opened| is_json(&opened.content));
        // A future time has not been set by the kernel, so its steps do not matter.
        Ok(Attempt::Read(Reading { version, opened, whole, settled: version::age(&before) >= TICK, warning }))
    }

    /// The document that was read.
    fn document(&self, reading: Reading) -> Result<Read, ReadError> {
        let Opened { content, was_plain } = reading.opened.map_err(|why| unusable(&self.path, &why))?;
        if let Some(kind) = foreign::kind(&content) {
            return Err(unusable(&self.path, kind));
        }
        if let Some(warning) = reading.warning {
            tracing::warn!("{warning}");
        }
        let unencrypted = was_plain.then(|| format!("in the file {}", self.path.display()));
        let version = if reading.settled { reading.version } else { version::passing(reading.version) };
        let place = format!("file {}", self.path.display());
        Ok(Read::Document(Document { version, content, place, unencrypted }))
    }
}

/// How one reading of the file went.
enum Attempt {
    Unchanged,
    /// The file was written meanwhile.
    Torn,
    Read(Reading),
}

struct Reading {
    version: String,
    opened: Result<Opened, String>,
    /// Whether it is no half-written document.
    whole: bool,
    /// Whether a later write is sure to change the version.
    settled: bool,
    warning: Option<String>,
}

impl Store for FileStore {
    fn guarded(&self) -> &Path {
        &self.path
    }

    fn is_at(&self, known: &str) -> bool {
        self.metadata().is_some_and(|metadata| version::of_file(&metadata) == known)
    }

    fn read(&self, known: Option<&str>) -> Result<Read, ReadError> {
        let path = &open::resolve(&self.path, &self.rules)?;
        let deadline = Instant::now() + TORN_READ_PATIENCE;
        let mut first = None;
        loop {
            let last = Instant::now() >= deadline;
            let attempt = match self.attempt(path, known) {
                Err(ReadError::Io { source, .. }) if may_be_busy(&source) && !last => Ok(Attempt::Torn),
                attempt => attempt,
            };
            let version = match attempt? {
                Attempt::Unchanged => return Ok(Read::Unchanged),
                Attempt::Read(reading) if reading.whole && (reading.settled || last) => return self.document(reading),
                // It stayed like this all the time and nobody is at it, so it is damaged, which its reader will tell.
                Attempt::Read(reading)
                    if last && first.as_ref() == Some(&reading.version) && !Lock::exists(&self.path) =>
                {
                    return self.document(reading);
                }
                Attempt::Torn | Attempt::Read(_) if last => {
                    return Err(ReadError::Busy(path.display().to_string()));
                }
                Attempt::Torn => String::new(),
                Attempt::Read(reading) => reading.version,
            };
            first.get_or_insert(version);
            std::thread::sleep(TORN_READ_PAUSE);
        }
    }

    fn replace(&self, expected: &str, content: &[u8]) -> Result<String, WriteError> {
        // Programs that follow the link look for the lock beside it; what is replaced is the file that it points to.
        let path = &open::resolve(&self.path, &self.rules).map_err(|error| WriteError::Unusable(error.to_string()))?;
        let folder = temporary::folder(path);
        let failed = |action| move |source| write_error(action, path, source);
        for place in [path, folder, temporary::folder(&self.path)] {
            open::check_writable(place).map_err(failed("writing"))?;
        }
        let content = self.protection.close(content).map_err(WriteError::Unusable)?;

        let lock = Lock::acquire_while(&self.path, || self.is_at(expected))?;
        if !self.is_at(expected) {
            return Err(WriteError::Conflict);
        }
        // It is removed should anything fail.
        let mut temporary = temporary::beside(path).map_err(failed("writing beside"))?;
        open::keep_owner(path, temporary.as_file()).map_err(|error| {
            WriteError::Unusable(format!(
                "{} belongs to another user or group, and a new file of theirs cannot be made: {error}",
                path.display()
            ))
        })?;
        temporary.write_all(&content).map_err(failed("writing beside"))?;
        temporary.as_file().sync_all().map_err(failed("writing beside"))?;
        // Programs that know no lock may have been faster, or one that ran out of patience has removed it.
        if !self.is_at(expected) || !lock.is_held() {
            return Err(WriteError::Conflict);
        }
        // MSAL for Python reads again if the file's time is later than the clock was when it read last. The kernel would set a coarse
        // time, which is behind the clock, and the time of the write, since when others may have read what is about to be replaced.
        temporary.as_file().set_modified(SystemTime::now()).map_err(failed("writing beside"))?;
        let deadline = Instant::now() + BUSY_PATIENCE;
        while let Err(error) = std::fs::rename(temporary.path(), path) {
            if !may_be_busy(&error) {
                return Err(failed("replacing")(error));
            }
            if Instant::now() >= deadline {
                return Err(kept_open(path, &error));
            }
            std::thread::sleep(BUSY_PAUSE);
            if !self.is_at(expected) || !lock.is_held() {
                return Err(WriteError::Conflict);
            }
        }
        temporary.disable_cleanup(true);
        let file = temporary.into_file();
        // The document has been replaced, so this is no error: after a power cut the old one may stand there again.
        if let Err(error) = sync_folder(folder) {
            tracing::debug!("the folder of {} can't be synced: {error}", path.display());
        }
        let metadata = file.metadata().map_err(failed("looking at"))?;
        temporary::remove_stale(path);
        Ok(version::of_file(&metadata))
    }

    fn examine(&self) -> Examination {
        examine::file(&self.path, &self.rules, self.protection != Protection::None)
    }
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
