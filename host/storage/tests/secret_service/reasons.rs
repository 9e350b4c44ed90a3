//! A keyring that can't be used: the error has the reason, for the user, and arrives in time.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use keyring_session::Session;
use shared_token_cache_storage::{KeyringError, Read, ReadError, Store};

use crate::checks::{document, same};
use crate::store::{HasStores as _, store};

type Check = (&'static str, fn() -> io::Result<()>);

pub(crate) const WITHOUT_A_BUS: [Check; 3] = [
    ("without_a_bus_there_is_no_keyring", without_a_bus_there_is_no_keyring),
    ("a_socket_without_a_listener_is_not_a_bus", a_socket_without_a_listener_is_not_a_bus),
    ("a_bus_that_never_answers_times_out", a_bus_that_never_answers_times_out),
];

pub(crate) const ON_A_BUS: [Check; 2] = [
    ("a_bus_without_a_keyring_is_reported", a_bus_without_a_keyring_is_reported),
    ("a_keyring_that_never_answers_times_out", a_keyring_that_never_answers_times_out),
];

pub(crate) const ON_A_KEYRING: [Check; 5] = [
    ("a_keyring_without_a_collection_is_reported", a_keyring_without_a_collection_is_reported),
    ("a_read_creates_nothing", a_read_creates_nothing),
    ("a_locked_keyring_is_reported", a_locked_keyring_is_reported),
    ("a_keyring_that_was_never_unlocked_is_locked", a_keyring_that_was_never_unlocked_is_locked),
    ("a_plain_file_is_used_in_place_of_a_locked_keyring", a_plain_file_is_used_in_place_of_a_locked_keyring),
];

const DOCUMENT: &str = "msal.cache.nocae";
const SOON: Duration = Duration::from_secs(2);

fn without_a_bus_there_is_no_keyring() -> io::Result<()> {
    let home = tempfile::tempdir()?;
    let address = format!("unix:path={}/bus", home.path().display());
    let error = shown(&*store(home.path(), &address, DOCUMENT)?, SOON)?;
    missing(&error, &format!("there is no file {}/.IdentityService/{DOCUMENT}, and ", home.path().display()))?;
    missing(&error, &format!("there is no keyring, because nothing listens at the D-Bus address {address}; "))?;
    same("files", &fs::read_dir(home.path())?.count(), &0)
}

fn a_socket_without_a_listener_is_not_a_bus() -> io::Result<()> {
    let home = tempfile::tempdir()?;
    let socket = home.path().join("bus");
    drop(UnixListener::bind(&socket)?);
    let error = shown(&*store(home.path(), &format!("unix:path={}", socket.display()), DOCUMENT)?, SOON)?;
    missing(&error, "nothing listens at")
}

fn a_bus_that_never_answers_times_out() -> io::Result<()> {
    let home = tempfile::tempdir()?;
    let socket = home.path().join("bus");
    // The kernel accepts connections on its behalf.
    let _listener = UnixListener::bind(&socket)?;
    let store = store(home.path(), &format!("unix:path={}", socket.display()), DOCUMENT)?;
    failed(&shown(&*store, SOON * 3 / 2)?, &format!("the D-Bus bus at unix:path={} did not answer", socket.display()))
}

fn a_bus_without_a_keyring_is_reported() -> io::Result<()> {
    let session = Session::without_keyring()?;
    let error = shown(&*session.store(DOCUMENT)?, SOON)?;
    missing(&error, "there is no keyring, because no program offers the Secret Service on the D-Bus bus at unix:path=")
}

fn a_keyring_that_never_answers_times_out() -> io::Result<()> {
    let session = Session::without_keyring()?;
    let store = session.store(DOCUMENT)?;
    let error = session.with_deaf_keyring(|| shown(&*store, SOON * 3 / 2))??;
    failed(&error, "the keyring (Secret Service on the D-Bus bus at unix:path=")?;
    failed(&error, "did not answer within 2 s")
}

fn a_keyring_without_a_collection_is_reported() -> io::Result<()> {
    let session = Session::with_new_keyring()?;
    missing(&shown(&*session.store(DOCUMENT)?, SOON)?, "has no default collection yet; ")
}

fn a_read_creates_nothing() -> io::Result<()> {
    let session = Session::with_keyring()?;
    session.make_item("msal.cache.cae", "{}")?;
    session.make_item("contoso.nocae", "{}")?;
    let (files, items) = (files_below(&session.home())?, session.items()?);
    let error = shown(&*session.store(DOCUMENT)?, SOON)?;
    same("error", error.to_string().as_str(), "there is no item msal.cache.nocae in the keyring (Secret Service)")?;
    missing(&error, "there is no item")?;
    same("files", &files_below(&session.home())?, &files)?;
    same("items", &session.items()?, &items)
}

fn a_locked_keyring_is_reported() -> io::Result<()> {
    let session = Session::with_keyring()?;
    session.make_item(DOCUMENT, "{}")?;
    let (store, other) = (session.store(DOCUMENT)?, session.store("contoso.nocae")?);
    let read = document(&*store)?;
    session.lock()?;
    locked(&shown(&*store, SOON)?, "the item msal.cache.nocae in the keyring (Secret Service) is locked; unlock it")?;
    // A locked keyring does not reveal whether it has the item.
    locked(&shown(&*other, SOON)?, "the keyring (Secret Service, collection “Login”) is locked; unlock it")?;
    let error = store.replace(&read.version, b"[]").err().map(|error| error.to_string()).unwrap_or_default();
    same("reason in a write's error", &error.contains("is locked; unlock it"), &true)
}

fn a_keyring_that_was_never_unlocked_is_locked() -> io::Result<()> {
    let mut session = Session::with_keyring()?;
    session.make_item(DOCUMENT, "{}")?;
    session.restart_keyring()?;
    locked(&shown(&*session.store(DOCUMENT)?, SOON)?, "the keyring (Secret Service, collection “Login”) is locked")
}

fn a_plain_file_is_used_in_place_of_a_locked_keyring() -> io::Result<()> {
    let session = Session::with_keyring()?;
    session.make_item(DOCUMENT, "{}")?;
    session.lock()?;
    let folder = session.home().join(".IdentityService");
    fs::create_dir(&folder)?;
    let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(folder.join(DOCUMENT))?;
    io::Write::write_all(&mut file, b"{\"from\":\"the file\"}")?;

    let read = document(&*session.store(DOCUMENT)?)?;
    same("document", read.content.as_slice(), b"{\"from\":\"the file\"}")?;
    let expected = format!("in the file {}, as the item {DOCUMENT} in the keyring", folder.join(DOCUMENT).display());
    same("place", &read.unencrypted.is_some_and(|place| place.starts_with(&expected)), &true)
}

/// The error of a read, which must arrive in time.
fn shown(store: &dyn Store, soon: Duration) -> io::Result<ReadError> {
    let started = Instant::now();
    let outcome = store.read(None);
    let took = started.elapsed();
    if took > soon {
        return Err(io::Error::other(format!("it took {took:?}: {outcome:?}")));
    }
    match outcome {
        Err(error) => Ok(error),
        Ok(Read::Unchanged | Read::Document(_)) => Err(io::Error::other("an error was expected")),
    }
}

fn missing(error: &ReadError, part: &str) -> io::Result<()> {
    same("kind", &matches!(error, ReadError::NotFound(_)), &true).and_then(|()| contains(error, part))
}

fn locked(error: &ReadError, part: &str) -> io::Result<()> {
    let locked = matches!(error, ReadError::Keyring(KeyringError::Locked(_)));
    same("kind", &locked, &true).and_then(|()| contains(error, part))
}

fn failed(error: &ReadError, part: &str) -> io::Result<()> {
    let failed = matches!(error, ReadError::Keyring(KeyringError::Failed(_)));
    same("kind", &failed, &true).and_then(|()| contains(error, part))
}

fn contains(error: &ReadError, part: &str) -> io::Result<()> {
    let shown = error.to_string();
    if shown.contains(part) { Ok(()) } else { Err(io::Error::other(format!("{shown:?} has no {part:?}"))) }
}

/// The paths and contents of all files.
fn files_below(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path.display().to_string());
            found.extend(files_below(&path)?);
        } else {
            found.push(format!("{} {:?}", path.display(), fs::read(&path)?));
        }
    }
    found.sort();
    Ok(found)
}
