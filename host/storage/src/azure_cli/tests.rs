use std::fs::{self, File};
use std::time::Duration;

use super::*;
use crate::Leniency;

const DOCUMENT: &str = r#"{"from":"the plain file"}"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.0.path().join(STEM).with_extension(extension)
    }

    /// Puts a file there that was written some minutes ago.
    fn put(&self, extension: &str, content: &str, minutes: u64) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.file(extension);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let time = SystemTime::now() - Duration::from_secs(60 * minutes);
        File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
    }

    fn store(&self) -> AzureCliStore {
        let strict = Leniency::Refuse;
        let rules = Rules { largest: 100, loose_permissions: strict, other_owner: strict, symlink_targets: Vec::new() };
        AzureCliStore::open(self.0.path(), &KeyringAccess::None, rules)
    }
}

fn version(store: &AzureCliStore) -> String {
    match store.read(None).unwrap() {
        Read::Document(document) => {
            assert_eq!(*document.content, DOCUMENT.as_bytes());
            document.version
        }
        Read::Unchanged => panic!("nothing was known"),
    }
}

#[test]
fn the_form_that_was_used_last_counts() {
    let (named, placeholder) = (Form::Keyring(Item::Named), Form::Keyring(Item::Placeholder));
    for (files, expected) in [
        (&[][..], Form::Plain),
        (&[("json", DOCUMENT, 1)], Form::Plain),
        (&[("sig", "", 1)], named),
        (&[("bin", "", 1)], placeholder),
        (&[("json", DOCUMENT, 2), ("sig", "", 1)], named),
        (&[("json", DOCUMENT, 2), ("bin", "", 1)], placeholder),
        (&[("json", DOCUMENT, 1), ("sig", "", 2)], Form::Plain),
        (&[("json", DOCUMENT, 1), ("bin", "", 2)], Form::Plain),
        (&[("json", DOCUMENT, 3), ("bin", "", 2), ("sig", "", 1)], named),
        (&[("json", DOCUMENT, 3), ("bin", "", 1), ("sig", "", 2)], placeholder),
        // The folder of a Windows user, seen from WSL.
        (&[("json", DOCUMENT, 2), ("bin", "encrypted by Windows", 1)], Form::Plain),
        (&[("bin", "encrypted by Windows", 1)], Form::Plain),
    ] {
        let folder = Folder::new();
        files.iter().for_each(|(extension, content, minutes)| folder.put(extension, content, *minutes));
        assert_eq!(folder.store().form, expected, "{files:?}");
    }
}

#[test]
fn a_plain_file_that_was_left_behind_is_refused_by_name() {
    for signal in ["sig", "bin"] {
        let folder = Folder::new();
        folder.put("json", DOCUMENT, 2);
        folder.put(signal, "", 1);
        let error = folder.store().read(None).unwrap_err();
        assert!(matches!(error, ReadError::Unusable(_)), "{error}");
        let shown = error.to_string();
        for part in
            [&folder.file("json").display().to_string(), &folder.file(signal).display().to_string(), "no", "keyring"]
        {
            assert!(shown.contains(part), "{shown} has no {part}");
        }
        let notes = folder.store().examine().notes;
        assert!(notes.iter().any(|note| note.what.contains("json is older than")), "{notes:?}");
    }
}

#[test]
fn encryption_that_was_turned_off_leaves_a_signal_that_says_nothing() {
    let folder = Folder::new();
    folder.put("sig", "", 2);
    folder.put("json", DOCUMENT, 1);
    let store = folder.store();
    assert!(store.is_at(&version(&store)));
    assert_eq!(store.examine().notes, []);
}

#[test]
fn a_write_does_not_bring_back_what_was_left_behind() {
    let folder = Folder::new();
    folder.put("json", DOCUMENT, 2);
    let store = folder.store();
    let version = version(&store);
    folder.put("sig", "", 1);
    assert!(matches!(store.replace(&version, b"{}"), Err(WriteError::Conflict)));
    assert!(!folder.store().is_at(&version), "a new sign-in is looked for");
    assert_eq!(fs::read_to_string(folder.file("json")).unwrap(), DOCUMENT);
    fs::remove_file(folder.file("sig")).unwrap();
    folder.store().replace(&version, b"{}").unwrap();
}
