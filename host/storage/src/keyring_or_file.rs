//! Linux: the keyring, or the plain file where the keyring cannot be used. The tools choose the
//! same way.

use std::path::Path;

use crate::examine::{Examination, ExaminationNote};
use crate::keyring::{Keyring, KeyringError};
use crate::keyring_store::{self, KeyringStore};
use crate::{FileStore, Read, ReadError, Store, WriteError};

/// The content of a signal file: Python and .NET leave it empty, JavaScript writes this.
const SIGNAL: &[u8] = b"{}";

const NOTHING_SERVES: &str = "No other place is used instead.";

/// A document in the keyring or in a file.
#[derive(Debug)]
pub(crate) struct KeyringOrFile<K> {
    keyring: KeyringStore<K>,
    file: FileStore,
}

impl<K: Keyring> KeyringOrFile<K> {
    pub(crate) fn new(keyring: KeyringStore<K>, file: FileStore) -> Self {
        Self { keyring, file }
    }

    /// Reads the file in place of the keyring.
    fn read_file(&self, known: Option<&str>, why: KeyringError) -> Result<Read, ReadError> {
        let path = self.file.guarded().display();
        let missing = match self.file.read(known) {
            Ok(Read::Unchanged) => return Ok(Read::Unchanged),
            Ok(Read::Document(mut document)) if !document.content.is_empty() && *document.content != SIGNAL => {
                tracing::debug!("{path} serves, because {why}");
                document.unencrypted = document.unencrypted.map(|place| format!("{place}, as {why}"));
                return Ok(Read::Document(document));
            }
            Err(ReadError::NotFound(file)) => file,
            Ok(Read::Document(_)) => self.only_a_signal(),
            // The tools create the file readable by every user, which is harmless while it is only
            // a signal.
            Err(_) if is_a_signal(self.guarded()) => self.only_a_signal(),
            outcome => return outcome,
        };
        match why {
            KeyringError::Missing(why) => Err(ReadError::NotFound(format!("{missing}, and {why}"))),
            why @ (KeyringError::Locked(_) | KeyringError::Failed(_)) => Err(ReadError::Keyring(why)),
        }
    }

    /// A usable keyring is the only place, as it is for the tools. If the file holds a document,
    /// the error says that the file is not used.
    fn not_found(&self, place: &str) -> ReadError {
        if !self.may_hold_document() {
            return ReadError::NotFound(place.to_owned());
        }
        let path = self.file.guarded().display();
        ReadError::NotFound(format!("{place}, and the file {path} is used only if the keyring cannot be used"))
    }

    fn only_a_signal(&self) -> String {
        format!("document in the file {}, which only signals changes in the keyring", self.guarded().display())
    }

    fn may_hold_document(&self) -> bool {
        may_hold_document(self.guarded())
    }
}

/// Whether the file exists and is no more than a signal.
fn is_a_signal(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= SIGNAL.len() as u64)
}

/// Whether a file is longer than a signal.
pub(crate) fn may_hold_document(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > SIGNAL.len() as u64)
}

impl<K: Keyring> Store for KeyringOrFile<K> {
    fn guarded(&self) -> &Path {
        self.file.guarded()
    }

    fn is_at(&self, known: &str) -> bool {
        if keyring_store::is_version(known) { self.keyring.is_at(known) } else { self.file.is_at(known) }
    }

    fn may_move(&self) -> bool {
        self.file.may_move()
    }

    fn read(&self, known: Option<&str>) -> Result<Read, ReadError> {
        // A program that returns to the keyring touches the file, so an unchanged file is still in
        // use.
        if known.is_some_and(|known| self.is_at(known)) {
            return Ok(Read::Unchanged);
        }
        match self.keyring.read(known) {
            Err(ReadError::Keyring(why)) => self.read_file(known, why),
            Err(ReadError::NotFound(place)) => Err(self.not_found(&place)),
            outcome => outcome,
        }
    }

    fn examine(&self) -> Examination {
        let mut file = self.file.examine();
        let holds_document = file.bytes.is_some() && self.may_hold_document();
        match self.keyring.try_examine() {
            Ok(mut keyring) => {
                if holds_document && !keyring.found {
                    let what = format!("{} holds a document, but the keyring is used instead", file.place);
                    let next = format!("To use the file, pass `--source file:{}`.", self.guarded().display());
                    keyring.notes.push(ExaminationNote { what, next });
                }
                keyring
            }
            // The file is used if it is more than a signal.
            Err(why) if holds_document => {
                file.notes
                    .push(ExaminationNote { what: why.to_string(), next: "The plain file is used instead.".into() });
                file
            }
            Err(why @ KeyringError::Missing(_)) => {
                file.notes.push(ExaminationNote { what: why.to_string(), next: NOTHING_SERVES.into() });
                file.found = false;
                file
            }
            Err(why) => self.keyring.unusable(&why, NOTHING_SERVES),
        }
    }

    fn replace(&self, expected: &str, content: &[u8]) -> Result<String, WriteError> {
        let store: &dyn Store = if keyring_store::is_version(expected) { &self.keyring } else { &self.file };
        store.replace(expected, content)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;
    use crate::keyring::fake::Fake;
    use crate::{Document, Leniency, Rules};

    const DOCUMENT: &str = r#"{"from":"the file"}"#;

    struct Home {
        folder: tempfile::TempDir,
        path: PathBuf,
        store: KeyringOrFile<Fake>,
    }

    fn home(keyring: &Fake, file: Option<&str>) -> Home {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        if let Some(content) = file {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let strict = Leniency::Refuse;
        let rules = Rules { largest: 100, loose_permissions: strict, other_owner: strict, symlink_targets: Vec::new() };
        let signalled = KeyringStore::new(keyring.clone(), path.clone(), None, rules.clone());
        Home { store: KeyringOrFile::new(signalled, FileStore::new(path.clone(), rules)), path, folder }
    }

    fn read(store: &impl Store) -> Document {
        match store.read(None).unwrap() {
            Read::Document(document) => document,
            Read::Unchanged => panic!("nothing was known"),
        }
    }

    fn failing(error: KeyringError) -> Fake {
        let keyring = Fake::default();
        keyring.fail(error);
        keyring
    }

    fn locked() -> KeyringError {
        KeyringError::Locked("the keyring is locked; unlock it".into())
    }

    fn missing() -> KeyringError {
        KeyringError::Missing("there is no keyring, because of this; do that".into())
    }

    #[test]
    fn a_usable_keyring_is_used() {
        let keyring = Fake::holding("{}");
        let home = home(&keyring, Some(DOCUMENT));
        let document = read(&home.store);
        assert_eq!((document.content.to_vec(), document.unencrypted), (b"{}".to_vec(), None));
        let next = home.store.replace(&document.version, b"[]").unwrap();
        assert!(home.store.is_at(&next));
        assert_eq!(keyring.document().unwrap(), b"[]");
        assert_eq!(fs::read_to_string(&home.path).unwrap(), DOCUMENT, "the file is touched, and not written");
    }

    #[test]
    fn an_open_keyring_without_the_item_is_an_empty_cache_even_beside_a_file() {
        let place = "there is no item made-up in the fake";
        for (file, shown) in [(None, place), (Some(""), place), (Some("{}"), place), (Some(DOCUMENT), "the file")] {
            let home = home(&Fake::default(), file);
            let error = home.store.read(None).unwrap_err();
            assert!(matches!(error, ReadError::NotFound(_)));
            let error = error.to_string();
            assert!(error.starts_with(place) && error.contains(shown), "{error}");
            assert_eq!(error.len() > place.len(), file == Some(DOCUMENT), "{error}");
        }
    }

    #[test]
    fn the_file_is_used_where_the_keyring_cannot_be() {
        for why in [locked(), missing(), KeyringError::Failed("the keyring did not answer".into())] {
            let keyring = failing(why.clone());
            let home = home(&keyring, Some(DOCUMENT));
            let document = read(&home.store);
            assert_eq!(*document.content, DOCUMENT.as_bytes());
            let unencrypted = format!("in the file {}, as {why}", home.path.display());
            assert_eq!(document.unencrypted, Some(unencrypted));

            // From here on the keyring is not read.
            let asked = keyring.reads();
            assert!(home.store.is_at(&document.version));
            assert!(matches!(home.store.read(Some(&document.version)), Ok(Read::Unchanged)));
            let next = home.store.replace(&document.version, b"[1]").unwrap();
            assert!(matches!(home.store.replace(&document.version, b"[2]"), Err(WriteError::Conflict)));
            assert!(home.store.is_at(&next) && !home.store.is_at(&document.version));
            assert_eq!(keyring.reads(), asked);
            assert_eq!(fs::read(&home.path).unwrap(), b"[1]");
        }
    }

    #[test]
    fn without_a_document_in_the_file_the_error_has_the_keyrings_reason() {
        // Python's signal, JavaScript's, and none; all of them with the mode that the tools set.
        for signal in [Some(""), Some("{}"), None] {
            let shown = |why: KeyringError| {
                let home = home(&failing(why), signal);
                if signal.is_some() {
                    fs::set_permissions(&home.path, fs::Permissions::from_mode(0o644)).unwrap();
                }
                let error = home.store.read(None).unwrap_err();
                assert_eq!(fs::read_dir(home.folder.path()).unwrap().count(), usize::from(signal.is_some()));
                (error, home.path.display().to_string())
            };
            let (error, _) = shown(locked());
            assert!(matches!(error, ReadError::Keyring(KeyringError::Locked(_))));
            assert_eq!(error.to_string(), "the keyring is locked; unlock it");

            let (error, path) = shown(missing());
            assert!(matches!(error, ReadError::NotFound(_)));
            let place = match signal {
                Some(_) => format!("document in the file {path}, which only signals changes in the keyring"),
                None => format!("file {path}"),
            };
            let expected = format!("there is no {place}, and there is no keyring, because of this; do that");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn an_error_names_a_folder_or_file_in_the_way_of_the_cache() {
        for is_folder in [false, true] {
            let home = home(&failing(missing()), None);
            if is_folder {
                fs::create_dir(&home.path).unwrap();
            } else {
                // The folder of the cache is a file.
                let folder = home.path.parent().unwrap();
                fs::remove_dir_all(folder).unwrap();
                fs::write(folder, "").unwrap();
            }
            let error = home.store.read(None).unwrap_err().to_string();
            let part = if is_folder { "is a folder, not a regular file; move it away" } else { "Not a directory" };
            assert!(error.contains(part) && !error.contains("only signals changes"), "{error}");
        }
    }

    #[test]
    fn an_error_says_why_the_file_is_refused() {
        let home = home(&failing(locked()), Some(DOCUMENT));
        fs::set_permissions(&home.path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = home.store.read(None).unwrap_err().to_string();
        assert!(error.contains("mode 0644"), "{error}");
    }

    #[test]
    fn a_touched_signal_makes_the_keyring_be_read_again() {
        let keyring = failing(missing());
        let home = home(&keyring, Some(DOCUMENT));
        let version = read(&home.store).version;
        keyring.fail(None);
        keyring.put("{}");
        assert!(home.store.is_at(&version));
        fs::File::options().append(true).open(&home.path).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
        match home.store.read(Some(&version)).unwrap() {
            Read::Document(document) => {
                assert_eq!((document.content.to_vec(), document.unencrypted), (b"{}".to_vec(), None));
            }
            Read::Unchanged => panic!("the file has changed"),
        }
    }
}
