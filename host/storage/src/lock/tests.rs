use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const SHORT: Duration = Duration::from_millis(120);

fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (cache, lock) = (folder.path().join("cache"), folder.path().join("cache.lockfile"));
    (folder, cache, lock)
}

fn write_aged(path: &Path, content: &str, age: Duration) {
    fs::write(path, content).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn a_lock_is_signed_while_held_and_gone_afterwards() {
    let (_folder, cache, path) = folder();
    let lock = Lock::acquire_within(&cache, SHORT).unwrap();
    // Windows lets nobody read what is locked.
    #[cfg(unix)]
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{} shared-token-cache", std::process::id()));
    assert!(matches!(Lock::acquire_within(&cache, SHORT), Err(WriteError::Locked(_))));
    drop(lock);
    assert!(!path.exists());
    Lock::acquire_within(&cache, SHORT).unwrap();
}

#[test]
fn a_live_holder_is_never_robbed() {
    let (_folder, cache, path) = folder();
    let hour = Duration::from_secs(3600);
    // Created exclusively and not locked, as MSAL for Python holds it.
    write_aged(&path, &format!("{} python", std::process::id()), hour);
    assert!(matches!(Lock::acquire_within(&cache, SHORT), Err(WriteError::Locked(_))));
    // Locked and not signed, as MSAL.NET holds it.
    write_aged(&path, "", hour);
    let holder = File::options().write(true).open(&path).unwrap();
    holder.try_lock().unwrap();
    assert!(matches!(Lock::acquire_within(&cache, SHORT), Err(WriteError::Locked(_))));
    assert!(path.exists());
}

#[test]
fn a_lock_that_a_crash_left_behind_heals() {
    let (_folder, cache, path) = folder();
    let mut process =
        Command::new(std::env::current_exe().unwrap()).arg("--list").stdout(Stdio::null()).spawn().unwrap();
    process.wait().unwrap();
    // Windows gives its id to no other process as long as the handle in `process` is open.
    let dead = process.id();
    for (content, age, heals) in [
        (format!("{dead} python"), 3, true),
        (format!("{dead} python"), 0, false),
        (String::new(), 61, true),
        (String::new(), 30, false),
        ("not a process id".to_owned(), 61, true),
        ("0 python".to_owned(), 61, true),
        ("-7 python".to_owned(), 30, false),
    ] {
        write_aged(&path, &content, Duration::from_secs(age));
        let taken = Lock::acquire_within(&cache, SHORT);
        assert_eq!(taken.is_ok(), heals, "{content:?} after {age} s");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_and_not_a_wait() {
    let started = Instant::now();
    assert!(matches!(Lock::acquire_within(Path::new("/nonexistent/cache"), PATIENCE), Err(WriteError::Io { .. })));
    assert!(started.elapsed() < PATIENCE);
}

#[test]
fn writers_take_turns() {
    let (folder, cache, _) = folder();
    let inside = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let lock = Lock::acquire_within(&cache, Duration::from_secs(30)).unwrap();
                    assert!(!inside.swap(true, Ordering::SeqCst), "two hold the lock");
                    std::thread::sleep(Duration::from_millis(1));
                    inside.store(false, Ordering::SeqCst);
                    drop(lock);
                }
            });
        }
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn one_who_looks_at_a_fresh_file_does_not_lock_it() {
    let (_folder, _, path) = folder();
    fs::write(&path, "").unwrap();
    let end = Instant::now() + Duration::from_millis(300);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < end {
                match take_over(&path) {
                    Ok(taken) => assert!(taken.is_none()),
                    Err(error) => assert!(is_busy(&error), "{error}"),
                }
            }
        });
        while Instant::now() < end {
            File::options().write(true).open(&path).unwrap().try_lock().unwrap();
        }
    });
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_in_place_of_the_lock_is_not_followed() {
    let (folder, cache, path) = folder();
    let victim = folder.path().join("victim");
    write_aged(&victim, "precious", Duration::from_secs(3600));
    std::os::unix::fs::symlink(&victim, &path).unwrap();
    assert!(Lock::acquire_within(&cache, SHORT).is_err());
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

#[cfg(windows)]
mod windows {
    use std::os::windows::fs::OpenOptionsExt as _;

    use windows_sys::Win32::Storage::FileSystem::{FILE_SHARE_READ, FILE_SHARE_WRITE};

    use super::*;

    #[test]
    fn a_file_that_dotnet_shares_with_readers_only_is_held() {
        let (_folder, cache, path) = folder();
        write_aged(&path, "", Duration::from_secs(3600));
        let holder = File::options().read(true).write(true).share_mode(FILE_SHARE_READ).open(&path).unwrap();
        // Longer than a file that is being removed is waited for.
        assert!(matches!(Lock::acquire_within(&cache, REMOVAL_PATIENCE + SHORT), Err(WriteError::Locked(_))));
        drop(holder);
        Lock::acquire_within(&cache, SHORT).unwrap();
    }

    /// As MSAL for Python with portalocker has it while it waits.
    #[test]
    fn a_lock_file_that_cannot_be_removed_keeps_nobody_out() {
        let (_folder, cache, path) = folder();
        let lock = Lock::acquire_within(&cache, SHORT).unwrap();
        let sharing = FILE_SHARE_READ | FILE_SHARE_WRITE;
        let waiting = File::options().read(true).write(true).share_mode(sharing).open(&path).unwrap();
        assert!(matches!(waiting.try_lock(), Err(TryLockError::WouldBlock)));
        drop(lock);

        waiting.try_lock().unwrap();
        assert!(matches!(Lock::acquire_within(&cache, SHORT), Err(WriteError::Locked(_))), "its turn");
        drop(waiting);
        Lock::acquire_within(&cache, SHORT).unwrap();
        assert!(!path.exists());
    }
}
