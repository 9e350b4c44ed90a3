use std::fs::{self, File};
use std::os::windows::fs::{OpenOptionsExt as _, symlink_file};

use windows_sys::Win32::Storage::FileSystem::{FILE_SHARE_READ, FILE_SHARE_WRITE};

use super::*;
use crate::{Leniency, Places};

const RULES: Rules = Rules {
    largest: 10_000,
    loose_permissions: Leniency::Refuse,
    other_owner: Leniency::Refuse,
    symlink_targets: Vec::new(),
};

const PLAIN: &[u8] = br#"{"RefreshToken": {"a": {"secret": "made-up-secret"}}}"#;

/// The store of the default document, in a folder that holds this content.
fn folder_with(content: &[u8]) -> (tempfile::TempDir, PathBuf, Box<dyn Store>) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".IdentityService").join("msal.cache.nocae");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    let store = Places::below(home.path()).shared("msal.cache.nocae", RULES).unwrap();
    (home, path, store)
}

fn read(store: &dyn Store) -> Document {
    match store.read(None).unwrap() {
        Read::Document(document) => document,
        Read::Unchanged => panic!("nothing was known"),
    }
}

fn under_wine() -> bool {
    Path::new(r"C:\windows\system32\winecfg.exe").exists()
}

#[test]
fn an_encrypted_document_is_read_once_and_replaced_at_its_version_only() {
    let (_home, path, store) = folder_with(&crate::dpapi::protect(PLAIN).unwrap());
    let document = read(&*store);
    assert_eq!((document.content.as_slice(), document.unencrypted), (PLAIN, None));
    assert!(store.is_at(&document.version));
    assert!(matches!(store.read(Some(&document.version)), Ok(Read::Unchanged)));

    let next = store.replace(&document.version, b"{\"a\":1}").unwrap();
    assert_ne!(next, document.version);
    assert!(store.is_at(&next));
    assert_eq!(*read(&*store).content, b"{\"a\":1}");
    assert!(matches!(store.replace(&document.version, b"{}"), Err(WriteError::Conflict)));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no lock and no temporary file is left");
}

#[test]
fn a_plain_document_in_an_encrypted_place_is_read_and_encrypted_with_the_next_write() {
    let (_home, path, store) = folder_with(PLAIN);
    let document = read(&*store);
    assert_eq!(*document.content, PLAIN);
    assert!(document.unencrypted.is_some_and(|place| place.contains("msal.cache.nocae")));

    store.replace(&document.version, PLAIN).unwrap();
    let content = fs::read(&path).unwrap();
    let secret = b"made-up-secret";
    assert!(!content.windows(secret.len()).any(|window| window == secret), "the secret is in the file");
    assert_eq!(read(&*store).unencrypted, None);
    assert_eq!(*read(&*store).content, PLAIN);
}

#[test]
fn a_damaged_document_says_what_to_do() {
    let (_home, path, store) = folder_with(b"no blob at all");
    let error = store.read(None).unwrap_err().to_string();
    assert!(error.starts_with(&path.display().to_string()) && error.contains("sign in again"), "{error}");
}

#[test]
fn a_document_that_is_being_written_is_read_when_it_is_whole() {
    let whole = crate::dpapi::protect(PLAIN).unwrap();
    let (_home, path, store) = folder_with(&whole[..whole.len() / 2]);
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(60));
        fs::write(path, whole).unwrap();
    });
    assert_eq!(*read(&*store).content, PLAIN);
    writer.join().unwrap();
}

#[test]
fn a_file_that_a_reader_has_open_is_replaced_when_the_reader_is_done() {
    let (_home, path, store) = folder_with(b"{}");
    let version = read(&*store).version;
    // As Python and .NET open it: without sharing deletion.
    let reader = File::options().read(true).share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE).open(&path).unwrap();
    let done = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        drop(reader);
    });
    let started = Instant::now();
    let next = store.replace(&version, PLAIN).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(150), "the reader was not in the way");
    assert!(store.is_at(&next));
    done.join().unwrap();
}

#[test]
fn a_file_that_is_kept_open_is_an_error_after_a_bounded_time() {
    let (_home, path, store) = folder_with(b"{}");
    let version = read(&*store).version;
    let reader = File::options().read(true).share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE).open(&path).unwrap();
    let error = store.replace(&version, PLAIN).unwrap_err().to_string();
    assert!(error.contains("has it open"), "{error}");
    drop(reader);
    assert!(store.is_at(&version), "nothing has changed");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no lock and no temporary file is left");
}

#[test]
fn a_reader_that_shares_deletion_keeps_the_old_document() {
    if under_wine() {
        eprintln!("skipped: wine replaces no file that anybody has open");
        return;
    }
    let (_home, path, store) = folder_with(b"{}");
    let version = read(&*store).version;
    let mut reader = File::open(&path).unwrap();
    store.replace(&version, PLAIN).unwrap();
    let mut content = String::new();
    reader.read_to_string(&mut content).unwrap();
    assert_eq!(content, "{}");
    assert_eq!(*read(&*store).content, PLAIN);
}

#[test]
fn a_file_that_is_open_without_sharing_is_read_once_it_is_closed() {
    let (_home, path, store) = folder_with(PLAIN);
    let writer = File::options().write(true).share_mode(0).open(&path).unwrap();
    let done = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        drop(writer);
    });
    assert_eq!(*read(&*store).content, PLAIN);
    done.join().unwrap();
}

#[test]
fn a_replaced_document_is_not_marked_as_temporary() {
    use std::os::windows::fs::MetadataExt as _;
    use windows_sys::Win32::Storage::FileSystem::FILE_ATTRIBUTE_TEMPORARY;
    let (_home, path, store) = folder_with(PLAIN);
    store.replace(&read(&*store).version, PLAIN).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().file_attributes() & FILE_ATTRIBUTE_TEMPORARY, 0);
}

#[test]
fn a_symbolic_link_is_followed_only_to_a_target_that_the_rules_name() {
    let (home, path, _) = folder_with(b"{}");
    let link = home.path().join("link");
    if under_wine() || symlink_file(&path, &link).is_err() {
        eprintln!(
            "skipped: wine makes no symbolic links, and Windows does so for administrators and in developer mode only"
        );
        return;
    }
    let error = FileStore::new(link.clone(), RULES).read(None).unwrap_err().to_string();
    assert!(error.contains("symbolic link"), "{error}");

    let store = FileStore::new(link.clone(), Rules { symlink_targets: vec![path.clone()], ..RULES });
    store.replace(&read(&store).version, b"[]").unwrap();
    assert!(link.is_symlink(), "the link stays");
    assert_eq!(fs::read(&path).unwrap(), b"[]");
}
