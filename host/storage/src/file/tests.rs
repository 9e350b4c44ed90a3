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
        Read::Document(document) => (document.version, document.content.to_vec()),
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
fn a_file_of_another_user_stays_that_users() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    const USER: u32 = 1000;
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can give a file to another user");
        return;
    }
    let (folder, _) = folder_with("{}");
    let path = folder.path().join("cache");
    chown(&path, Some(USER), Some(USER)).unwrap();
    let store = FileStore::new(path.clone(), Rules { other_owner: Leniency::Warn, ..STRICT });
    let (version, _) = read(&store);
    store.replace(&version, b"{\"a\":1}").unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o777), (USER, USER, 0o600));
}

#[test]
fn a_read_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(folder.path().join("missing/cache"), STRICT);
    assert!(matches!(store.read(None), Err(ReadError::NotFound(_))));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_not_regular_private_and_small_is_refused() {
    let (folder, store) = folder_with("{}");
    let path = folder.path().join("cache");
    let refused = |path: &Path, rules: Rules, part: &str| {
        let error = FileStore::new(path.to_owned(), rules).read(None).err().map(|error| error.to_string());
        assert!(error.as_ref().is_some_and(|error| error.contains(part)), "{part}: {error:?}");
    };

    refused(folder.path(), STRICT, "not a regular file");
    let fifo = folder.path().join("fifo");
    // rustix has no `mkfifo` on macOS.
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
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
fn a_document_that_stays_broken_is_returned_unchanged() {
    let (_folder, store) = folder_with("{\"a\":");
    assert_eq!(read(&store).1, b"{\"a\":");
}

#[test]
fn a_file_that_grows_without_end_is_refused() {
    let (folder, store) = folder_with("[");
    let path = folder.path().join("cache");
    let (started, stop) = (Instant::now(), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = File::options().append(true).open(&path).unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                file.write_all(b"0,").unwrap();
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let outcome = store.read(None);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(
            matches!(&outcome, Err(ReadError::TooLarge(why)) if why.contains("limits.document-mib")),
            "{outcome:?}"
        );
    });
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_document_that_is_written_in_place_all_the_time_is_never_returned_in_parts() {
    let (folder, store) = folder_with("[]");
    let (path, stop) = (folder.path().join("cache"), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let mut file = File::options().write(true).truncate(true).open(&path).unwrap();
                for part in ["[", "1,", "2,", "3]"] {
                    file.write_all(part.as_bytes()).unwrap();
                    std::thread::sleep(Duration::from_millis(3));
                }
            }
        });
        for _ in 0..5 {
            let started = Instant::now();
            match store.read(None) {
                Ok(Read::Document(document)) => assert_eq!(*document.content, b"[1,2,3]"),
                Ok(Read::Unchanged) => panic!("nothing was known"),
                Err(error) => assert!(matches!(error, ReadError::Busy(_)), "{error}"),
            }
            assert!(started.elapsed() < Duration::from_secs(2));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn no_file_is_at_a_passing_version() {
    let (_folder, store) = folder_with("{}");
    let passing = version::passing(read(&store).0);
    assert!(!store.is_at(&passing));
    assert!(matches!(store.read(Some(&passing)), Ok(Read::Document(_))));
    assert!(matches!(store.replace(&passing, b"[]"), Err(WriteError::Conflict)));
}

#[test]
fn half_a_document_under_a_lock_is_not_returned() {
    let (folder, store) = folder_with("{\"a\":");
    let lock = folder.path().join("cache.lockfile");
    fs::write(&lock, format!("{} python", std::process::id())).unwrap();
    assert!(matches!(store.read(None), Err(ReadError::Busy(_))));
    fs::remove_file(&lock).unwrap();
    assert_eq!(read(&store).1, b"{\"a\":");
}

#[test]
fn a_removed_file_or_a_folder_in_its_place_is_not_replaced() {
    let (folder, store) = folder_with("{}");
    let path = folder.path().join("cache");
    let (version, _) = read(&store);
    fs::remove_file(&path).unwrap();
    assert!(matches!(store.replace(&version, b"[]"), Err(WriteError::Conflict)));
    assert!(matches!(store.read(Some(&version)), Err(ReadError::NotFound(_))));
    fs::create_dir(&path).unwrap();
    assert!(matches!(store.replace(&version, b"[]"), Err(WriteError::Conflict)));
    assert!(matches!(store.read(None), Err(ReadError::Unusable(why)) if why.contains("not a regular file")));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_write_removes_the_temporary_files_of_a_killed_writer() {
    let (folder, store) = folder_with("{}");
    let left = folder.path().join(".cache.abcdefghijkl0123.tmp");
    let (version, _) = read(&store);
    fs::write(&left, "{\"secret\":").unwrap();
    let version = store.replace(&version, b"[]").unwrap();
    assert!(left.exists(), "it may be in use");
    File::open(&left).unwrap().set_modified(SystemTime::now() - Duration::from_secs(61)).unwrap();
    store.replace(&version, b"{}").unwrap();
    assert!(!left.exists());
}

#[test]
fn a_written_document_has_the_time_of_the_clock() {
    let (folder, store) = folder_with("{}");
    let (version, _) = read(&store);
    let before = SystemTime::now();
    store.replace(&version, b"[]").unwrap();
    let time = fs::metadata(folder.path().join("cache")).unwrap().modified().unwrap();
    assert!(before <= time && time <= SystemTime::now());
}
