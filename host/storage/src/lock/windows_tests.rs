use std::fs;
use std::os::windows::fs::OpenOptionsExt as _;

use windows_sys::Win32::Storage::FileSystem::{FILE_SHARE_READ, FILE_SHARE_WRITE};

use super::*;

const SHORT: Duration = Duration::from_millis(120);

fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (cache, lock) = (folder.path().join("cache"), folder.path().join("cache.lockfile"));
    (folder, cache, lock)
}

fn acquire(cache: &Path, patience: Duration) -> Result<Lock, WriteError> {
    Lock::acquire_within(cache, patience, || true)
}

fn write_aged(path: &Path, content: &str, age: Duration) {
    fs::write(path, content).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn a_lock_of_a_live_holder_is_never_taken_over_and_one_of_a_dead_holder_is() {
    let (_folder, cache, path) = folder();
    let hour = Duration::from_secs(3600);
    write_aged(&path, &format!("{} python", std::process::id()), hour);
    assert!(matches!(acquire(&cache, SHORT), Err(WriteError::Locked(_))));
    let mut ended = std::process::Command::new("cmd").args(["/c", "exit"]).spawn().unwrap();
    ended.wait().unwrap();
    let id = ended.id();
    // Windows keeps the process object while a handle to it is open.
    drop(ended);
    write_aged(&path, &format!("{id} python"), hour);
    let lock = acquire(&cache, SHORT).unwrap();
    drop(lock);
    assert!(!path.exists());
}

#[test]
fn a_file_that_dotnet_shares_with_readers_only_is_held() {
    let (_folder, cache, path) = folder();
    write_aged(&path, "", Duration::from_secs(3600));
    let holder = File::options().read(true).write(true).share_mode(FILE_SHARE_READ).open(&path).unwrap();
    // Longer than the retries for a file that is being removed.
    assert!(matches!(acquire(&cache, REMOVAL_PATIENCE + SHORT), Err(WriteError::Locked(_))));
    drop(holder);
    acquire(&cache, SHORT).unwrap();
}

/// As MSAL for Python with portalocker has it while it waits.
#[test]
fn a_lock_file_that_cannot_be_removed_does_not_block_the_next_writer() {
    let (_folder, cache, path) = folder();
    let lock = acquire(&cache, SHORT).unwrap();
    let sharing = FILE_SHARE_READ | FILE_SHARE_WRITE;
    let waiting = File::options().read(true).write(true).share_mode(sharing).open(&path).unwrap();
    assert!(matches!(waiting.try_lock(), Err(TryLockError::WouldBlock)));
    drop(lock);

    waiting.try_lock().unwrap();
    assert!(matches!(acquire(&cache, SHORT), Err(WriteError::Locked(_))), "its turn");
    drop(waiting);
    acquire(&cache, SHORT).unwrap();
    assert!(!path.exists());
}
