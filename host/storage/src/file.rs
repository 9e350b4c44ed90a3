//! A cache document in a file.

#[cfg(unix)]
use std::fs::File;
use std::fs::Metadata;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use zeroize::Zeroizing;

use crate::examine::{self, Examination};
use crate::foreign;
use crate::lock::Lock;
use crate::open::{self, io_error, unusable};
use crate::protection::{Opened, Protection, is_json};
use crate::windows_sharing::may_be_busy;
use crate::write_error::{kept_open, write_error};
use crate::{Document, Read, ReadError, Rules, Store, WriteError, temporary, version};

/// How long content that is not JSON is read again before it counts as damaged. MSAL for Python
/// writes in place, so a reader can see half of a document. One second is also MSAL's own limit; on
/// a busy machine a writer may pause before its first byte.
const TORN_READ_PATIENCE: Duration = Duration::from_secs(1);
const TORN_READ_PAUSE: Duration = Duration::from_millis(20);

/// Windows: how long the replacement of a file that another program has open is retried. A reader
/// or a virus scanner may need this long.
const BUSY_PATIENCE: Duration = Duration::from_secs(1);
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// A document that is older than this is not being written in place any more.
const JUST_WRITTEN: Duration = Duration::from_secs(2);

/// File times advance in steps of up to 4 ms on Linux and 16 ms on Windows, so two writes in place
/// within one step can leave the same version. A version is reliable only once the step is over.
const TICK: Duration = Duration::from_millis(if cfg!(windows) { 20 } else { 10 });

/// A file that holds a cache document.
#[derive(Debug, Clone)]
pub struct FileStore {
    path: PathBuf,
    rules: Rules,
    protection: Protection,
    may_move: bool,
}

impl FileStore {
    /// A store for a document in plain text.
    #[must_use]
    pub fn new(path: PathBuf, rules: Rules) -> Self {
        Self { path, rules, protection: Protection::None, may_move: false }
    }

    /// A store for a document that Windows encrypts for its user.
    #[cfg(windows)]
    pub(crate) fn encrypted(path: PathBuf, rules: Rules) -> Self {
        Self { path, rules, protection: Protection::Dpapi, may_move: false }
    }

    /// The same, where another file takes its place when that one holds a document.
    #[cfg(target_os = "linux")]
    pub(crate) fn that_may_move(self, may_move: bool) -> Self {
        Self { may_move, ..self }
    }

    /// The file's metadata, found the same way as by a read.
    fn metadata(&self) -> Option<Metadata> {
        let metadata = std::fs::symlink_metadata(&self.path).ok()?;
        if !metadata.is_symlink() {
            return Some(metadata);
        }
        std::fs::symlink_metadata(open::resolve(&self.path, &self.rules).ok()?).ok()
    }

    /// Reads the file once.
    fn attempt(&self, path: &Path, known: Option<&str>) -> Result<Attempt, ReadError> {
        let looked = |source| io_error("looking at", path, source);
        let mut file = open::open(path)?;
        let mut before = file.metadata().map_err(looked)?;
        let warning = open::inspect(path, &before, &self.rules)?;
        if known.is_some_and(|known| known == version::of_file(&before)) {
            return Ok(Attempt::Unchanged);
        }
        if version::age(&before) < TICK {
            // A file that was created as a replacement does not change any more, so one wait is
            // enough even if another one replaces it.
            std::thread::sleep(TICK);
            before = file.metadata().map_err(looked)?;
        }
        // One byte more than expected detects a file that grew. The buffer has room for it, because
        // a buffer that moves leaves a copy of the secrets behind.
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
        // A document that was not written recently is not half-written.
        let whole =
            version::age(&after) >= JUST_WRITTEN || opened.as_ref().is_ok_and(|opened| is_json(&opened.content));
        // A time in the future was not set by the kernel, so its steps do not apply.
        Ok(Attempt::Read(Reading { version, opened, whole, settled: version::age(&before) >= TICK, warning }))
    }

    /// Converts what was read into a document.
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

/// The result of one reading.
enum Attempt {
    Unchanged,
    /// The file changed during the reading.
    Torn,
    Read(Reading),
}

struct Reading {
    version: String,
    opened: Result<Opened, String>,
    /// Whether it is certainly not a half-written document.
    whole: bool,
    /// Whether every later write will change the version.
    settled: bool,
    warning: Option<String>,
}

impl Store for FileStore {
    fn guarded(&self) -> &Path {
        &self.path
    }

    fn may_move(&self) -> bool {
        self.may_move
    }

    fn is_at(&self, known: &str) -> bool {
        self.metadata().is_some_and(|metadata| version::is_of_file(&metadata, known))
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
                // The content has not changed for the whole time and no program holds the lock, so
                // it is damaged. The reader's parser reports that.
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
        // Programs that follow the link look for the lock beside the link; the file that is
        // replaced is the link's target.
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
        // The temporary file is removed if a later step fails.
        let mut temporary = temporary::beside(path).map_err(failed("writing beside"))?;
        open::keep_owner(path, temporary.as_file()).map_err(|error| {
            WriteError::Unusable(format!(
                "cannot create a new file of the user and group of {}: {error}",
                path.display()
            ))
        })?;
        temporary.write_all(&content).map_err(failed("writing beside"))?;
        temporary.as_file().sync_all().map_err(failed("writing beside"))?;
        // A program that ignores the lock may have written, or one whose wait timed out may have
        // removed the lock file.
        if !self.is_at(expected) || !lock.is_held() {
            return Err(WriteError::Conflict);
        }
        // MSAL for Python reads the file again if its time is later than the clock at the last
        // read. The kernel would set the coarse time of the write, which is behind the clock: a
        // reader of the old document since then would miss this change.
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
        // The document has been replaced, so a failure here is not an error: a power cut may bring
        // the old one back.
        if let Err(error) = sync_folder(folder) {
            tracing::debug!("cannot sync the folder of {}: {error}", path.display());
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

/// Windows cannot sync folders.
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
