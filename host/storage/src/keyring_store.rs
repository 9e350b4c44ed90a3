//! A cache document in an item of a keyring. Every writer touches a signal file, whose time makes
//! the other programs read again.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use crate::examine::{self, Examination, ExaminationNote, HeldLock};
use crate::foreign;
use crate::keyring::{Item, Keyring};
use crate::lock::Lock;
use crate::open::check_size;
use crate::write_error::write_error;
use crate::{Document, KeyringError, Read, ReadError, Rules, Store, WriteError, version};

/// The prefix of versions of documents in keyrings, which versions of files lack.
const PREFIX: &str = "keyring:";

/// File times advance in steps of up to 4 ms on Linux. Two signals within one step look the same.
const TICK: Duration = Duration::from_millis(10);

/// An item of a keyring with its signal files. The files' content is ignored and never changed.
#[derive(Debug)]
pub(crate) struct KeyringStore<K> {
    keyring: K,
    /// The first one is where this store signals and locks; the others are those of other tools,
    /// used where they exist.
    signals: Vec<PathBuf>,
    rules: Rules,
}

/// Whether a version comes from a keyring's store.
#[cfg(target_os = "linux")]
pub(crate) fn is_version(version: &str) -> bool {
    version.starts_with(PREFIX)
}

impl<K: Keyring> KeyringStore<K> {
    pub(crate) fn new(keyring: K, signal: PathBuf, further: impl IntoIterator<Item = PathBuf>, rules: Rules) -> Self {
        Self { keyring, signals: std::iter::once(signal).chain(further).collect(), rules }
    }

    /// Examines the item, if the keyring can be used.
    pub(crate) fn try_examine(&self) -> Result<Examination, KeyringError> {
        let mut notes = Vec::new();
        let item = self.keyring.read()?;
        if item.is_some() && self.signalled().is_none() {
            let what = "no program has signalled a change of it, so it is read anew for each call".to_owned();
            notes.push(ExaminationNote { what, next: "There is nothing to do: the next write signals.".into() });
        }
        Ok(Examination {
            place: self.keyring.place(),
            found: item.is_some(),
            encrypted: true,
            bytes: item.map(|item| item.document.len() as u64),
            lock: self.held_lock(),
            notes,
            near: Vec::new(),
        })
    }

    /// The examination of an item that can't be read.
    pub(crate) fn unusable(&self, why: &KeyringError, next: &str) -> Examination {
        Examination {
            place: self.keyring.place(),
            found: false,
            encrypted: true,
            bytes: None,
            lock: self.held_lock(),
            notes: vec![ExaminationNote { what: why.to_string(), next: next.to_owned() }],
            near: Vec::new(),
        }
    }

    fn held_lock(&self) -> Option<HeldLock> {
        self.signals.iter().find_map(|signal| examine::held_lock(signal))
    }

    fn read_item(&self) -> Result<Item, ReadError> {
        let item = self.keyring.read()?.ok_or_else(|| ReadError::NotFound(self.keyring.place()))?;
        check_size(Path::new(&self.keyring.place()), item.document.len() as u64, &self.rules)?;
        Ok(item)
    }

    /// The times of the signal files; `None` without any, so that changes of the item are not
    /// signalled.
    fn signalled(&self) -> Option<String> {
        let times: Vec<_> = self.signals.iter().map(|path| version::signal(path)).collect();
        let texts = times.iter().map(|time| time.map_or_else(|| "-".to_owned(), |time| format!("{time:x}")));
        times.iter().any(Option::is_some).then(|| texts.collect::<Vec<_>>().join(","))
    }

    fn version(&self, document: &[u8]) -> String {
        format!("{PREFIX}{}:{}", self.signalled().unwrap_or_default(), digest(document))
    }

    /// Takes the locks that the tools use, always in the same order, which avoids deadlocks.
    fn lock(&self) -> Result<Vec<Lock>, WriteError> {
        let mut locks = Vec::new();
        for (position, signal) in self.signals.iter().enumerate() {
            let folder = signal.parent().unwrap_or(Path::new("/"));
            if position == 0 && !folder.exists() {
                create_folder(folder).map_err(|source| write_error("creating", folder, source))?;
            }
            if position == 0 || folder.is_dir() {
                locks.push(Lock::acquire(signal)?);
            }
        }
        Ok(locks)
    }

    /// The document has been saved, so a failed signal is not an error: other programs then see the
    /// change late.
    fn signal(&self) {
        for (position, path) in self.signals.iter().enumerate() {
            // MSAL for Python treats a cache without the first one as empty.
            if position > 0 && !path.exists() {
                continue;
            }
            if let Err(error) = touch(path) {
                tracing::warn!(
                    "cannot touch {}, so other programs may not see the new tokens: {error}",
                    path.display()
                );
            }
        }
    }
}

impl<K: Keyring> Store for KeyringStore<K> {
    fn guarded(&self) -> &Path {
        self.signals.first().map_or(Path::new(""), PathBuf::as_path)
    }

    fn is_at(&self, known: &str) -> bool {
        let known = known.strip_prefix(PREFIX).and_then(|known| known.rsplit_once(':'));
        known.is_some_and(|(signalled, _)| self.signalled().as_deref() == Some(signalled))
    }

    fn read(&self, known: Option<&str>) -> Result<Read, ReadError> {
        if known.is_some_and(|known| self.is_at(known)) {
            return Ok(Read::Unchanged);
        }
        let fresh = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|metadata| version::age(&metadata) < TICK);
        if self.signals.iter().any(fresh) {
            std::thread::sleep(TICK);
        }
        // A writer signals after its change, so the times from before the reading are the safe
        // ones.
        let signalled = self.signalled().unwrap_or_default();
        let document = self.read_item()?.document;
        let version = format!("{PREFIX}{signalled}:{}", digest(&document));
        if known == Some(version.as_str()) {
            return Ok(Read::Unchanged);
        }
        let place = self.keyring.place();
        if let Some(kind) = foreign::kind(&document) {
            return Err(ReadError::Unusable(format!("the {place} {kind}")));
        }
        Ok(Read::Document(Document { version, content: document, place, unencrypted: None }))
    }

    fn examine(&self) -> Examination {
        self.try_examine().unwrap_or_else(|why| self.unusable(&why, "Until then its tokens cannot be used."))
    }

    fn replace(&self, expected: &str, content: &[u8]) -> Result<String, WriteError> {
        let expected = expected.strip_prefix(PREFIX).and_then(|expected| expected.rsplit_once(':'));
        let Some((_, expected)) = expected else { return Err(WriteError::Conflict) };
        let _locks = self.lock()?;
        let item = match self.read_item() {
            Ok(item) => item,
            Err(ReadError::NotFound(_)) => return Err(WriteError::Conflict),
            Err(error) => return Err(WriteError::Unusable(error.to_string())),
        };
        if digest(&item.document) != expected {
            return Err(WriteError::Conflict);
        }
        self.keyring.write(&item, content).map_err(|error| WriteError::Unusable(error.to_string()))?;
        self.signal();
        Ok(self.version(content))
    }
}

/// Distinguishes documents. The component sees the digest and the document has secrets, so the hash
/// has a random key of this process.
fn digest(document: &[u8]) -> String {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    format!("{:016x}.{:x}", KEY.hash_one(document), document.len())
}

/// Sets the file's time to the clock's, because MSAL for Python compares the two: the kernel's
/// coarse time would be some milliseconds behind.
fn touch(path: &Path) -> std::io::Result<()> {
    let mut options = File::options();
    options.create(true).append(true);
    // Where the keyring can't be used, the tools write the document itself into this file, and keep
    // its mode.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    crate::files::own(path, &mut options)?.set_modified(SystemTime::now())
}

fn create_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

#[cfg(test)]
mod tests;
