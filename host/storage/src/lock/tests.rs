use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const SHORT: Duration = Duration::from_millis(120);

fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (cache, lock) = (folder.path().join("cache"), folder.path().join("cache.lockfile"));
    (folder, cache, lock)
}

fn acquire(cache: &Path) -> Result<Lock, WriteError> {
    Lock::acquire_within(cache, SHORT, || true)
}

fn write_aged(path: &Path, content: &str, age: Duration) {
    fs::write(path, content).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
}

/// The id of a process that has ended.
fn dead_pid() -> u32 {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id()
}

#[test]
fn a_lock_is_signed_while_held_and_gone_afterwards() {
    let (_folder, cache, path) = folder();
    let lock = acquire(&cache).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{} shared-token-cache", std::process::id()));
    assert!(matches!(acquire(&cache), Err(WriteError::Locked(_))));
    drop(lock);
    assert!(!path.exists());
    acquire(&cache).unwrap();
}

#[test]
fn a_lock_of_a_live_holder_is_never_taken_over() {
    let (_folder, cache, path) = folder();
    let hour = Duration::from_secs(3600);
    // Created exclusively and not locked, as MSAL for Python holds it.
    write_aged(&path, &format!("{} python", std::process::id()), hour);
    assert!(matches!(acquire(&cache), Err(WriteError::Locked(_))));
    // Locked and not signed, as MSAL.NET holds it.
    write_aged(&path, "", hour);
    let holder = File::options().write(true).open(&path).unwrap();
    holder.try_lock().unwrap();
    assert!(matches!(acquire(&cache), Err(WriteError::Locked(_))));
    assert!(path.exists());
}

#[test]
fn a_lock_that_a_crash_left_behind_is_taken_over() {
    let (_folder, cache, path) = folder();
    let dead = dead_pid();
    for (content, age, heals) in [
        (format!("{dead} python"), 3, true),
        (format!("{dead} python"), 0, false),
        (String::new(), 61, true),
        (String::new(), 30, false),
        ("not a process id".to_owned(), 61, false),
    ] {
        write_aged(&path, &content, Duration::from_secs(age));
        let taken = acquire(&cache);
        assert_eq!(taken.is_ok(), heals, "{content:?} after {age} s");
    }
}

#[test]
fn a_lock_that_this_user_cannot_take_is_named_with_the_hint_and_an_old_one_at_once() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let day = Duration::from_secs(86_400);
    for (content, age, at_once) in [("", day, true), ("1 az", day, true), ("1 az", Duration::ZERO, false)] {
        let (_folder, cache, path) = folder();
        write_aged(&path, content, age);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        // Without root the owner stays the same, and the mode alone prevents opening the file.
        let is_foreign = chown(&path, Some(65_533), None).is_ok();
        let started = Instant::now();
        let Err(WriteError::Unusable(why)) = Lock::acquire_within(&cache, SHORT * 5, || true) else {
            panic!("it was taken")
        };
        assert_eq!(started.elapsed() < SHORT * 5, at_once, "{content:?} after {age:?}");
        for part in [path.to_str().unwrap(), "remove the file", "`chown`"] {
            assert!(why.contains(part), "{part}: {why}");
        }
        assert!(why.contains(if is_foreign { "another user (id 65533)" } else { "Permission denied" }), "{why}");
        assert_eq!(Lock::problem(&cache), Some(why));
        assert_eq!(fs::symlink_metadata(&path).unwrap().mode() & 0o777, 0, "it stays as it is");
    }
}

#[test]
fn a_file_that_is_no_lock_is_a_problem_and_a_lock_of_a_program_is_not() {
    let (_folder, cache, path) = folder();
    assert_eq!(Lock::problem(&cache), None);
    for (content, part) in [("notes".to_owned(), "names no process"), ("1".repeat(2_000), "it has 2000 bytes")] {
        fs::write(&path, &content).unwrap();
        let why = Lock::problem(&cache).unwrap();
        assert!(why.contains(part) && why.ends_with("move it away"), "{why}");
    }
    for content in ["", "4711 az"] {
        fs::write(&path, content).unwrap();
        assert_eq!(Lock::problem(&cache), None, "{content:?}");
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(Lock::problem(&cache).unwrap().contains("not a regular file"));
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_and_not_a_wait() {
    let started = Instant::now();
    assert!(matches!(Lock::acquire(Path::new("/nonexistent/cache")), Err(WriteError::Io { .. })));
    assert!(started.elapsed() < PATIENCE);
}

#[test]
fn a_lock_that_is_not_a_regular_file_is_an_error_and_not_a_wait() {
    let (folder, cache, path) = folder();
    let refused = |remove: fn(&Path) -> io::Result<()>| {
        let started = Instant::now();
        let error = Lock::acquire(&cache).unwrap_err().to_string();
        assert!(error.contains("cache.lockfile failed: it is not a regular file"), "{error}");
        assert!(started.elapsed() < SHORT);
        remove(&path).unwrap();
    };
    fs::create_dir(&path).unwrap();
    refused(|path| fs::remove_dir(path));
    std::os::unix::fs::symlink(folder.path().join("nowhere"), &path).unwrap();
    refused(|path| fs::remove_file(path));
    // rustix has no `mkfifo` on macOS.
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    refused(|path| fs::remove_file(path));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_lock_that_another_program_removes_is_lost_and_the_next_one_stays() {
    let (_folder, cache, path) = folder();
    let lost = acquire(&cache).unwrap();
    assert!(lost.is_held());
    fs::remove_file(&path).unwrap();
    assert!(!lost.is_held());
    let next = acquire(&cache).unwrap();
    drop(lost);
    assert!(next.is_held() && path.exists());
}

#[test]
fn a_wait_for_a_lock_ends_when_the_lock_is_of_no_use() {
    let (_folder, cache, _) = folder();
    let _held = acquire(&cache).unwrap();
    let (started, looks) = (Instant::now(), std::cell::Cell::new(0));
    let of_use = || looks.replace(looks.get() + 1) < 3;
    assert!(matches!(Lock::acquire_while(&cache, of_use), Err(WriteError::Conflict)));
    assert!(started.elapsed() < PATIENCE);
}

#[test]
fn a_lock_names_its_holder_at_every_moment() {
    let (_folder, cache, path) = folder();
    let pid = std::process::id().to_string();
    std::thread::scope(|scope| {
        let hold = || {
            for _ in 0..30 {
                let _lock = Lock::acquire(&cache).unwrap();
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        let writers = [scope.spawn(hold), scope.spawn(hold)];
        let mut seen = 0;
        while !writers.iter().all(|writer| writer.is_finished()) {
            if let Ok(text) = fs::read_to_string(&path) {
                assert!(text.starts_with(&pid), "{text:?}");
                seen += 1;
            }
        }
        assert!(seen > 0);
    });
}

#[test]
fn only_one_writer_takes_over_a_lock_that_a_crash_left() {
    let (_folder, cache, path) = folder();
    for _ in 0..5 {
        write_aged(&path, &format!("{} python", dead_pid()), Duration::from_secs(3));
        let (holders, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let lock = Lock::acquire(&cache).unwrap();
                    assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two hold it");
                    std::thread::sleep(Duration::from_millis(1));
                    assert!(lock.is_held());
                    holders.fetch_sub(1, Ordering::SeqCst);
                    taken.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(taken.into_inner(), 8);
        assert!(!path.exists());
    }
}

#[test]
fn a_check_of_a_fresh_lock_file_does_not_lock_it() {
    let (_folder, _, path) = folder();
    fs::write(&path, "").unwrap();
    let end = Instant::now() + Duration::from_millis(300);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < end {
                match take_over(&path) {
                    Ok(taken) => assert!(taken.is_none()),
                    Err(error) => panic!("{error}"),
                }
            }
        });
        let (mut times, mut was_locked) = (0, false);
        while Instant::now() < end {
            let is_locked = File::options().write(true).open(&path).unwrap().try_lock().is_err();
            times += u32::from(is_locked && !was_locked);
            was_locked = is_locked;
        }
        // A process that another test starts inherits this one's locks until its `exec`. A loop
        // that locks before it checks does so thousands of times.
        assert!(times < 20, "{times}");
    });
}

#[test]
fn a_file_that_is_longer_than_a_signature_is_neither_overwritten_nor_removed() {
    let (_folder, cache, path) = folder();
    let notes = "notes ".repeat(400);
    write_aged(&path, &notes, holder::LONG_AGO);
    let error = acquire(&cache).unwrap_err().to_string();
    assert!(error.contains("it is not a lock"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), notes);
}

#[test]
fn a_second_name_of_another_file_is_neither_overwritten_nor_removed() {
    let (folder, cache, path) = folder();
    let other = folder.path().join("precious");
    write_aged(&other, "precious", holder::LONG_AGO);
    fs::hard_link(&other, &path).unwrap();
    assert!(acquire(&cache).is_err());
    assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
    assert!(path.exists());
}

#[test]
fn a_file_that_names_no_process_is_neither_overwritten_nor_removed() {
    let (_folder, cache, path) = folder();
    write_aged(&path, "notes", holder::LONG_AGO);
    let error = acquire(&cache).unwrap_err().to_string();
    assert!(error.contains("names no process"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "notes");
}

#[test]
fn a_look_at_an_abandoned_lock_does_not_wait_for_a_fifo() {
    let (_folder, cache, path) = folder();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(!Lock::is_abandoned(&cache));
}
