//! A cache document in a file.

#[cfg(unix)]
use std::fs::File;
use std::fs::Metadata;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::examine::{self, Examination};
use crate::lock::Lock;
use crate::open::{self, io_error, unusable};
use crate::problem::write_error;
use crate::protection::{Opened, Protection, is_json};
use crate::{Document, Read, ReadError, Rules, Store, WriteError, version};

/// How long a document that is not JSON is read again before it counts as damaged: MSAL for Python writes in place, so a reader
/// can see half of a document.
const TORN_READ_PATIENCE: Duration = Duration::from_millis(400);
const TORN_READ_PAUSE: Duration = Duration::from_millis(20);

/// A document that was last written longer ago than this is nobody's half-written one.
const JUST_WRITTEN: Duration = Duration::from_secs(2);

/// Times of files advance in steps of up to 4 ms on Linux, so a file that was written in place twice within one may look like one
/// that was written once. Its version means something only when the step is over.
const TICK: Duration = Duration::from_millis(10);

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
            let mut file = open::open(path)?;
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

    fn examine(&self) -> Examination {
        examine::file(&self.path, &self.rules, self.protection != Protection::None)
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
        // tempfile makes it with mode 0600, and removes it should anything fail.
        let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed("writing beside"))?;
        temporary.write_all(&content).map_err(failed("writing beside"))?;
        // MSAL for Python compares the file's time with the clock, which is ahead of the coarse time that the kernel would set.
        temporary.as_file().set_modified(SystemTime::now()).map_err(failed("writing beside"))?;
        temporary.as_file().sync_all().map_err(failed("writing beside"))?;
        // Programs that know no lock may have been faster.
        if !self.is_at(expected) {
            return Err(WriteError::Conflict);
        }
        let file = temporary.persist(path).map_err(|error| failed("replacing")(error.error))?;
        sync_folder(folder).map_err(failed("syncing the folder of"))?;
        let metadata = file.metadata().map_err(failed("looking at"))?;
        Ok(version::of_file(&metadata))
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows has no folders that can be synced.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::Leniency;

    const STRICT: Rules = Rules {
        largest: 100,
        loose_permissions: Leniency::Refuse,
        other_owner: Leniency::Refuse,
        symlink_targets: Vec::new(),
    };

    fn folder_with(content: &str) -> (tempfile::TempDir, FileStore) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        (folder, FileStore::new(path, STRICT))
    }

    fn read(store: &FileStore) -> (String, Vec<u8>) {
        match store.read(None).unwrap() {
            Read::Document(document) => (document.version, document.content),
            Read::Unchanged => panic!("nothing was known"),
        }
    }

    #[test]
    fn a_document_is_read_once_and_replaced_at_its_version_only() {
        let (folder, store) = folder_with("{}");
        let (version, content) = read(&store);
        assert_eq!(content, b"{}");
        assert!(store.is_at(&version));
        assert!(matches!(store.read(Some(&version)), Ok(Read::Unchanged)));

        let next = store.replace(&version, b"{\"a\":1}").unwrap();
        assert_ne!(next, version);
        assert!(store.is_at(&next));
        assert_eq!(read(&store), (next, b"{\"a\":1}".to_vec()));
        assert!(matches!(store.replace(&version, b"{}"), Err(WriteError::Conflict)));

        let mode = fs::metadata(folder.path().join("cache")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no lock and no temporary file is left");
    }

    #[test]
    fn a_read_creates_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("missing/cache"), STRICT);
        assert!(matches!(store.read(None), Err(ReadError::NotFound(_))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_the_users_own_plain_file_is_refused() {
        let (folder, store) = folder_with("{}");
        let path = folder.path().join("cache");
        let refused = |path: &Path, rules: Rules, part: &str| {
            let error = FileStore::new(path.to_owned(), rules).read(None).err().map(|error| error.to_string());
            assert!(error.as_ref().is_some_and(|error| error.contains(part)), "{part}: {error:?}");
        };

        refused(folder.path(), STRICT, "not a regular file");
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        refused(&fifo, STRICT, "not a regular file");

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        refused(&path, STRICT, "mode 0644");
        FileStore::new(path.clone(), Rules { loose_permissions: Leniency::Warn, ..STRICT }).read(None).unwrap();

        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        drop(store);
        fs::write(&path, "x".repeat(101)).unwrap();
        refused(&path, STRICT, "101 bytes");
    }

    #[test]
    fn a_symbolic_link_is_followed_only_to_a_target_that_the_rules_name() {
        let (folder, _) = folder_with("{}");
        let (path, link) = (folder.path().join("cache"), folder.path().join("link"));
        symlink(&path, &link).unwrap();
        let error = FileStore::new(link.clone(), STRICT).read(None).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");

        let store = FileStore::new(link.clone(), Rules { symlink_targets: vec![path.clone()], ..STRICT });
        let (version, _) = read(&store);
        assert!(store.is_at(&version));
        store.replace(&version, b"[]").unwrap();
        assert!(link.is_symlink(), "the link stays");
        assert_eq!(fs::read(&path).unwrap(), b"[]");

        fs::remove_file(&link).unwrap();
        symlink("/etc/hostname", &link).unwrap();
        assert!(matches!(store.read(None), Err(ReadError::Unusable(_))), "another target is not followed");
    }

    #[test]
    fn half_a_document_is_read_again_until_it_is_whole() {
        let (folder, store) = folder_with("{\"a\":");
        let path = folder.path().join("cache");
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(60));
            fs::write(path, "{\"a\":1}").unwrap();
        });
        assert_eq!(read(&store).1, b"{\"a\":1}");
        writer.join().unwrap();
    }

    #[test]
    fn a_document_that_stays_broken_is_handed_on_as_it_is() {
        let (_folder, store) = folder_with("{\"a\":");
        assert_eq!(read(&store).1, b"{\"a\":");
    }
}
