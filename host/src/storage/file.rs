//! A cache document in a file.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::lock::Lock;
use super::{Document, Read, ReadError, WriteError};
use crate::policy::LoosePermissions;

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
pub(crate) struct FileStore {
    path: PathBuf,
}

/// What a file has to be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadRules {
    pub(crate) largest: u64,
    #[cfg_attr(not(unix), expect(dead_code, reason = "files have modes on Unix only"))]
    pub(crate) loose_permissions: LoosePermissions,
}

impl FileStore {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is still at this version. Opens nothing.
    pub(crate) fn is_at(&self, known: &str) -> bool {
        std::fs::symlink_metadata(&self.path).is_ok_and(|metadata| version(&metadata) == known)
    }

    pub(crate) fn read(&self, known: Option<&str>, rules: ReadRules) -> Result<Read, ReadError> {
        let deadline = std::time::Instant::now() + TORN_READ_PATIENCE;
        let mut settled = false;
        loop {
            let mut file = self.open()?;
            let before = file.metadata().map_err(|source| self.io("looking at", source))?;
            let warning = self.inspect(&before, rules)?;
            if known.is_some_and(|known| known == version(&before)) {
                return Ok(Read::Unchanged);
            }
            let mut content = Vec::with_capacity(usize::try_from(before.len()).unwrap_or_default());
            // One byte more than allowed tells a file that grew.
            (&mut file)
                .take(rules.largest + 1)
                .read_to_end(&mut content)
                .map_err(|source| self.io("reading", source))?;
            let after = file.metadata().map_err(|source| self.io("looking at", source))?;
            self.check_size(after.len(), rules)?;

            let stable = version(&before) == version(&after);
            if stable && age(&after) < TICK && !settled {
                settled = true;
                std::thread::sleep(TICK);
                continue;
            }
            let torn = !stable || (age(&after) < JUST_WRITTEN && !is_json(&content));
            if !torn || std::time::Instant::now() >= deadline {
                if cfg!(windows) && is_encrypted(&content) {
                    return Err(self.unusable("is encrypted with DPAPI, which this version can't open"));
                }
                return Ok(Read::Document(Document { version: version(&after), content, unencrypted: true, warning }));
            }
            std::thread::sleep(TORN_READ_PAUSE);
        }
    }

    /// Replaces the file if it is still at the expected version; gives the new version.
    pub(crate) fn replace(&self, expected: &str, content: &[u8]) -> Result<String, WriteError> {
        let failed = |action| {
            let path = self.path.display().to_string();
            move |source| WriteError::Io { action, path, source }
        };
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let _lock = Lock::acquire(&self.path)?;
        if !self.is_at(expected) {
            return Err(WriteError::Conflict);
        }
        // tempfile makes it with mode 0600, and removes it should anything fail.
        let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed("writing beside"))?;
        temporary.write_all(content).map_err(failed("writing beside"))?;
        // MSAL for Python compares the file's time with the clock, which is ahead of the coarse time that the kernel would set.
        temporary.as_file().set_modified(SystemTime::now()).map_err(failed("writing beside"))?;
        temporary.as_file().sync_all().map_err(failed("writing beside"))?;
        // Programs that know no lock may have been faster.
        if !self.is_at(expected) {
            return Err(WriteError::Conflict);
        }
        let file = temporary.persist(&self.path).map_err(|error| failed("replacing")(error.error))?;
        sync_folder(folder).map_err(failed("syncing the folder of"))?;
        let metadata = file.metadata().map_err(failed("looking at"))?;
        Ok(version(&metadata))
    }

    fn open(&self) -> Result<File, ReadError> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            // Without NONBLOCK, opening a FIFO would wait for a writer.
            let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
            options.custom_flags(flags.bits().cast_signed());
        }
        options.open(&self.path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ReadError::NotFound,
            _ if self.path.is_symlink() => self.unusable("is a symbolic link; name the file itself"),
            _ => self.io("opening", source),
        })
    }

    /// Refuses a file that is not this user's own; gives a warning where others may use it and the policy lets that pass.
    fn inspect(&self, metadata: &Metadata, rules: ReadRules) -> Result<Option<String>, ReadError> {
        if !metadata.is_file() {
            return Err(self.unusable("is not a regular file"));
        }
        self.check_size(metadata.len(), rules)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            if metadata.uid() != rustix::process::geteuid().as_raw() {
                return Err(self.unusable("belongs to another user"));
            }
            let mode = metadata.mode() & 0o7777;
            if mode & 0o077 != 0 {
                let problem = format!("may be used by other users (mode {mode:04o}); run `chmod 600` on it");
                return match rules.loose_permissions {
                    LoosePermissions::Refuse => Err(self.unusable(&problem)),
                    LoosePermissions::Warn => Ok(Some(format!("{} {problem}", self.path.display()))),
                };
            }
        }
        Ok(None)
    }

    fn check_size(&self, size: u64, rules: ReadRules) -> Result<(), ReadError> {
        if size > rules.largest {
            return Err(self.unusable(&format!(
                "has {size} bytes, and the policy's `limits.document-mib` allows {}",
                rules.largest
            )));
        }
        Ok(())
    }

    fn unusable(&self, why: &str) -> ReadError {
        ReadError::Unusable(format!("{} {why}", self.path.display()))
    }

    fn io(&self, action: &'static str, source: io::Error) -> ReadError {
        ReadError::Io { action, path: self.path.display().to_string(), source }
    }
}

/// Names a state of the file: a writer changes its time, its size, or puts another file in its place.
fn version(metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let modified = modified.unwrap_or_default().as_nanos();
    #[cfg(unix)]
    let inode = {
        use std::os::unix::fs::MetadataExt as _;
        metadata.ino()
    };
    #[cfg(not(unix))]
    let inode = 0;
    format!("{modified:x}.{:x}.{inode:x}", metadata.len())
}

/// How long ago the file was written; a time in the future says nothing and counts as long ago.
fn age(metadata: &Metadata) -> Duration {
    metadata.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or(Duration::MAX)
}

fn is_json(content: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(content).is_ok()
}

/// What DPAPI makes of a document begins with the version of its format, 1, in four bytes.
fn is_encrypted(content: &[u8]) -> bool {
    content.starts_with(&[1, 0, 0, 0])
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

    const RULES: ReadRules = ReadRules { largest: 100, loose_permissions: LoosePermissions::Refuse };

    fn folder_with(content: &str) -> (tempfile::TempDir, FileStore) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        (folder, FileStore::new(path))
    }

    fn read(store: &FileStore) -> (String, Vec<u8>) {
        match store.read(None, RULES).unwrap() {
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
        assert!(matches!(store.read(Some(&version), RULES), Ok(Read::Unchanged)));

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
        let store = FileStore::new(folder.path().join("missing/cache"));
        assert!(matches!(store.read(None, RULES), Err(ReadError::NotFound)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_the_users_own_plain_file_is_refused() {
        let (folder, store) = folder_with("{}");
        let path = folder.path().join("cache");
        let refused = |store: &FileStore, part: &str| {
            let error = store.read(None, RULES).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(part), "{part}: {error}");
        };

        symlink(&path, folder.path().join("link")).unwrap();
        refused(&FileStore::new(folder.path().join("link")), "symbolic link");
        refused(&FileStore::new(folder.path().to_owned()), "not a regular file");
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        refused(&FileStore::new(fifo), "not a regular file");

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        refused(&store, "mode 0644");
        let lenient = ReadRules { loose_permissions: LoosePermissions::Warn, ..RULES };
        match store.read(None, lenient).unwrap() {
            Read::Document(document) => assert!(document.warning.unwrap().contains("chmod 600")),
            Read::Unchanged => panic!("nothing was known"),
        }

        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "x".repeat(101)).unwrap();
        refused(&store, "101 bytes");
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
