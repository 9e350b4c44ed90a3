//! New token files, which replace the last one by a rename. Their names distinguish them from other
//! files; their locks distinguish those of live agents from those that a killed agent left behind,
//! with a token in them.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use shared_token_cache_storage::files;
use tempfile::{Builder, NamedTempFile};

use super::Readers;

const PREFIX: &str = ".token-";
const SUFFIX: &str = ".tmp";
const RANDOM: usize = 16;

/// Replaces the file by a new one, which only its owner can read until it has its readers. The file
/// stays locked while it is open, so that other agents detect this one; readers need no lock.
pub(super) fn replace(path: &Path, content: &[u8], readers: Readers) -> io::Result<File> {
    let mut new = create(super::folder(path), readers)?;
    new.as_file_mut().write_all(content)?;
    // On Windows a lock would exclude readers.
    if cfg!(windows) {
        let _ = new.as_file().unlock();
    }
    Ok(new.persist(path)?)
}

/// Whether a file for these readers can be created beside `path`.
pub(super) fn attempt(path: &Path, readers: Readers) -> io::Result<()> {
    create(super::folder(path), readers)?.close()
}

fn create(folder: &Path, readers: Readers) -> io::Result<NamedTempFile> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // `tempfile_in` puts the random name into its errors, so the same failure would have a
    // different text each time.
    let mut names = Builder::new();
    let new = names.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM).make_in(folder, |path| options.open(path))?;
    // Without locks in the file system, files that were left behind are not removed either.
    let _ = new.as_file().try_lock();
    readers.admit(new.as_file())?;
    Ok(new)
}

/// Removes files that killed agents have left in a folder. Live agents hold the locks of theirs.
pub(super) fn remove_left(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if !name.to_str().is_some_and(is_temporary) {
            continue;
        }
        let left = files::own(&path, File::options().read(true)).is_ok_and(|file| file.try_lock().is_ok());
        if !left {
            continue;
        }
        match std::fs::remove_file(&path) {
            Ok(()) => tracing::info!("removed {}, which a killed agent left behind", path.display()),
            Err(error) => {
                tracing::warn!("cannot remove {}, which a killed agent left behind; remove it: {error}", path.display())
            }
        }
    }
}

fn is_temporary(name: &str) -> bool {
    let random = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    random.is_some_and(|random| random.len() >= 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_of_a_killed_agent_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let at_work = create(folder.path(), Readers::default()).unwrap();
        let others =
            ["token", ".token-.tmp", ".token-notes.txt.tmp", ".token-abcdefghijkl0123", "token-abcdefghijkl0123.tmp"];
        for name in others {
            fs::write(at(name), "1").unwrap();
        }
        fs::write(at(".token-abcdefghijkl0123.tmp"), "a token").unwrap();
        fs::create_dir(at(".token-abcdefghijkl4567.tmp")).unwrap();
        remove_left(folder.path());
        assert!(!at(".token-abcdefghijkl0123.tmp").exists());
        assert!(at(".token-abcdefghijkl4567.tmp").is_dir() && at_work.path().exists());
        for name in others {
            assert_eq!(fs::read_to_string(at(name)).unwrap(), "1", "{name}");
        }
    }

    #[test]
    fn an_error_has_the_same_text_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let error = || attempt(&folder.path().join("missing/token"), Readers::default()).unwrap_err();
        assert_eq!(error().to_string(), error().to_string());
        assert!(error().raw_os_error().is_some());
    }

    #[test]
    fn a_file_in_place_is_locked_while_it_is_kept_and_nothing_is_left_of_an_attempt() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let held = replace(&path, b"1", Readers::default()).unwrap();
        if cfg!(unix) {
            assert!(File::open(&path).unwrap().try_lock().is_err());
        }
        drop(held);
        File::open(&path).unwrap().try_lock().unwrap();
        attempt(&path, Readers::default()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
