use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::keyring::fake::Fake;
use crate::{KeyringError, Leniency};

const RULES: Rules = Rules {
    largest: 100,
    loose_permissions: Leniency::Refuse,
    other_owner: Leniency::Refuse,
    symlink_targets: Vec::new(),
};

/// A store, its first signal file, and that of .NET; neither file exists yet.
fn store(keyring: &Fake) -> (tempfile::TempDir, KeyringStore<Fake>, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (first, dotnet) = (folder.path().join("python/cache"), folder.path().join("dotnet/cache"));
    let store = KeyringStore::new(keyring.clone(), first.clone(), [dotnet.clone()], RULES);
    (folder, store, first, dotnet)
}

fn read(store: &KeyringStore<Fake>) -> (String, Vec<u8>) {
    match store.read(None).unwrap() {
        Read::Document(document) => {
            assert_eq!(document.unencrypted, None);
            (document.version, document.content.to_vec())
        }
        Read::Unchanged => panic!("nothing was known"),
    }
}

/// Signals a change, as MSAL for Python does after a write.
fn touched_by_another(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    touch(path).unwrap();
}

#[test]
fn a_read_creates_nothing() {
    let keyring = Fake::holding("{}");
    let (folder, store, ..) = store(&keyring);
    read(&store);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(keyring.document().unwrap(), b"{}");
}

#[test]
fn a_keyring_is_asked_again_only_when_there_was_a_signal() {
    let keyring = Fake::holding("{}");
    let (_folder, store, first, dotnet) = store(&keyring);
    let unsignalled = read(&store).0;
    assert!(!store.is_at(&unsignalled), "a version without signals is never current");
    assert!(matches!(store.read(Some(&unsignalled)), Ok(Read::Unchanged)), "the document has not changed");

    for signal in [first, dotnet] {
        touched_by_another(&signal);
        let (version, _) = read(&store);
        let asked = keyring.reads();
        assert!(store.is_at(&version) && matches!(store.read(Some(&version)), Ok(Read::Unchanged)));
        assert_eq!(keyring.reads(), asked, "a look at the files is enough");
        touched_by_another(&signal);
        assert!(!store.is_at(&version));
    }
}

#[test]
fn a_document_is_replaced_and_the_change_is_signalled() {
    let keyring = Fake::holding("{}");
    let (folder, store, first, dotnet) = store(&keyring);
    let (version, _) = read(&store);
    let next = store.replace(&version, b"{\"a\":1}").unwrap();
    assert_eq!(keyring.document().unwrap(), b"{\"a\":1}");
    assert!(next.starts_with(PREFIX) && store.is_at(&next) && !store.is_at(&version));
    assert_eq!(read(&store).0, next);

    let names: Vec<_> = fs::read_dir(first.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names, std::slice::from_ref(&first), "no lock is left");
    assert_eq!(fs::metadata(&first).unwrap().len(), 0);
    assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(first.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the files of a tool that is not there are not made");

    // The content of JavaScript's signal file.
    fs::write(&first, "{}").unwrap();
    touched_by_another(&dotnet);
    let before = version::signal(&dotnet);
    store.replace(&next, b"{}").unwrap();
    assert_eq!(fs::read(&first).unwrap(), b"{}");
    assert!(version::signal(&dotnet) > before);
    assert_eq!(fs::read_dir(dotnet.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_link_in_the_place_of_a_signal_is_not_followed() {
    let keyring = Fake::holding("{}");
    let (folder, store, first, dotnet) = store(&keyring);
    let (theirs, missing) = (folder.path().join("theirs"), folder.path().join("missing"));
    fs::write(&theirs, "1").unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    File::options().write(true).open(&theirs).unwrap().set_modified(long_ago).unwrap();
    for (signal, target) in [(&first, &missing), (&dotnet, &theirs)] {
        fs::create_dir_all(signal.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, signal).unwrap();
    }
    let (version, _) = read(&store);
    store.replace(&version, b"{\"a\":1}").unwrap();
    assert_eq!(keyring.document().unwrap(), b"{\"a\":1}", "the new tokens are stored all the same");
    assert!(!missing.exists());
    assert_eq!(fs::metadata(&theirs).unwrap().modified().unwrap(), long_ago);
}

#[test]
fn a_document_that_another_program_changed_is_a_conflict() {
    let keyring = Fake::holding("{}");
    let (_folder, store, first, _) = store(&keyring);
    let (version, _) = read(&store);
    touched_by_another(&first);
    let signalled = store.replace(&version, b"{\"a\":1}").unwrap();

    // This writer has not signalled yet.
    keyring.put("{\"b\":1}");
    assert!(matches!(store.replace(&signalled, b"{}"), Err(WriteError::Conflict)));
    assert_eq!(keyring.document().unwrap(), b"{\"b\":1}");

    keyring.remove();
    assert!(matches!(store.replace(&version, b"{}"), Err(WriteError::Conflict)));
    assert!(matches!(store.replace("1.2.3", b"{}"), Err(WriteError::Conflict)), "the version of a file");
    assert_eq!(keyring.document(), None, "nothing is made anew");
}

#[test]
fn of_two_writers_with_one_version_one_wins_and_nothing_is_lost() {
    let keyring = Fake::holding("0");
    let (_folder, store, ..) = store(&keyring);
    let add_one = || {
        for _ in 0..20 {
            loop {
                let (version, content) = read(&store);
                let number: u32 = String::from_utf8(content).unwrap().parse().unwrap();
                match store.replace(&version, (number + 1).to_string().as_bytes()) {
                    Ok(_) => break,
                    Err(WriteError::Conflict) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    std::thread::scope(|threads| {
        let other = threads.spawn(add_one);
        add_one();
        other.join().unwrap();
    });
    assert_eq!(keyring.document().unwrap(), b"40");
}

#[test]
fn an_item_that_cannot_be_used_is_an_error() {
    let keyring = Fake::holding(&"x".repeat(101));
    let (_folder, store, ..) = store(&keyring);
    let error = store.read(None).unwrap_err().to_string();
    assert_eq!(error, "item made-up in the fake has 101 bytes, and the policy's `limits.document-mib` allows 100");

    keyring.remove();
    assert_eq!(store.read(None).unwrap_err().to_string(), "there is no item made-up in the fake");

    keyring.put("{}");
    let (version, _) = read(&store);
    keyring.fail(KeyringError::Locked("the fake is locked".into()));
    assert_eq!(store.read(None).unwrap_err().to_string(), "the fake is locked");
    let error = store.replace(&version, b"[]").unwrap_err();
    assert!(matches!(&error, WriteError::Unusable(why) if why == "the fake is locked"), "{error}");
}
