//! Keys of clients, and the files that hold them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use shared_token_cache_storage::files;
use zeroize::Zeroizing;

/// 256 bits cannot be guessed, so attempts need no limit.
const BYTES: usize = 32;

/// The length of a key as text.
const DIGITS: usize = 2 * BYTES;

/// A new key, as 64 hexadecimal digits, which need no escape in a header, a URL, a shell or an
/// environment file.
pub(crate) struct Key(Zeroizing<String>);

/// The hash of a key, which the agent keeps in place of the key.
#[derive(Clone, Copy)]
pub(crate) struct KeyHash([u8; BYTES]);

impl Key {
    /// A random key.
    pub(crate) fn generate() -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        getrandom::fill(&mut *bytes).map_err(io::Error::other)?;
        // The capacity holds all digits: a reallocation would leave a copy of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(DIGITS));
        for byte in *bytes {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text))
    }

    /// The key in plain text. Every call of this method is a place where the key can leave.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> KeyHash {
        KeyHash::of(self.expose().as_bytes())
    }
}

impl KeyHash {
    /// The hash of the text that a client sent.
    pub(crate) fn of(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Compares in constant time.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let differences = self.0.iter().zip(other.0).fold(0, |so_far, (one, two)| black_box(so_far | (one ^ two)));
        differences == 0
    }
}

/// A file with a client's key. The key is valid while the written file is at its path, unchanged.
pub(crate) struct KeyFile {
    path: PathBuf,
    file: File,
    /// The time of the write.
    written: Option<SystemTime>,
}

impl KeyFile {
    /// Writes the key to a new file with mode 0600 (on Unix) and replaces the key file of an
    /// earlier agent. Any other file is kept, because it may be the private key of a server.
    pub(crate) fn write(path: &Path, key: &Key) -> io::Result<Self> {
        Self::check_vacant(path)?;
        let folder = super::super::folder(path);
        let mut new = tempfile::Builder::new().prefix(".key-").suffix(".tmp").tempfile_in(folder)?;
        new.as_file_mut().write_all(key.expose().as_bytes())?;
        let file = new.persist(path)?;
        let written = file.metadata()?.modified().ok();
        Ok(Self { path: path.to_owned(), file, written })
    }

    /// Whether the file is still at its path as it was written. Removing, replacing or changing it
    /// revokes the key, and so does an error of the file system.
    pub(crate) fn is_in_place(&self) -> bool {
        let is_unchanged = || {
            let metadata = self.file.metadata().ok()?;
            Some(metadata.len() == DIGITS as u64 && metadata.modified().ok() == self.written)
        };
        files::is_still_at(&self.file, &self.path).unwrap_or(false) && is_unchanged().unwrap_or(false)
    }

    /// Refuses a path that holds anything but a key file.
    pub(crate) fn check_vacant(path: &Path) -> io::Result<()> {
        let other = || {
            let why = "a file at the path is not a client's key; choose another folder, or move that file away";
            io::Error::new(io::ErrorKind::AlreadyExists, why)
        };
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_file() && metadata.len() == DIGITS as u64 => {
                let content = Zeroizing::new(files::read_input(path, DIGITS as u64)?);
                if content.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(other()) }
            }
            Ok(_) => Err(other()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        if self.is_in_place()
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::debug!("cannot remove the key file {}: {error}", self.path.display());
        }
    }
}

/// Creates a missing folder for key files, for its owner only. Refuses a folder that other users
/// may write to.
pub(crate) fn folder(path: &Path) -> Result<(), String> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| format!("cannot make the folder {}: {error}", path.display()))?;
    match files::exposed_folder(path) {
        Some(how) => Err(format!("other users may replace the files in {}: {how}", path.display())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_each_time_and_only_its_own_hash_is_the_same() {
        let (one, two) = (Key::generate().unwrap(), Key::generate().unwrap());
        assert!(one.expose().len() == 64 && one.expose().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one.expose(), two.expose());
        assert!(one.hash().is(&KeyHash::of(one.expose().as_bytes())));
        let mut almost = one.expose().to_owned();
        almost.replace_range(63.., if almost.ends_with('0') { "1" } else { "0" });
        for other in [two.expose(), &almost, &one.expose()[..63], "", &one.expose().to_ascii_uppercase()] {
            let is_own = other == one.expose();
            assert_eq!(one.hash().is(&KeyHash::of(other.as_bytes())), is_own, "{other}");
        }
    }

    #[test]
    fn a_key_file_that_was_removed_or_replaced_is_not_in_place_and_is_removed_with_its_agent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.key");
        let key = Key::generate().unwrap();
        let first = KeyFile::write(&path, &key).unwrap();
        assert!(first.is_in_place());
        assert_eq!(fs::read_to_string(&path).unwrap(), key.expose());
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap()) & 0o7777, 0o600);
        let second = KeyFile::write(&path, &Key::generate().unwrap()).unwrap();
        assert!(!first.is_in_place() && second.is_in_place());
        drop(first);
        assert!(path.exists(), "it is the second one's");
        drop(second);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_key_file_that_was_changed_is_not_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.key");
        for content in [String::new(), "0".repeat(DIGITS)] {
            let file = KeyFile::write(&path, &Key::generate().unwrap()).unwrap();
            // The clock of a file system may be coarse.
            std::thread::sleep(std::time::Duration::from_millis(20));
            fs::write(&path, &content).unwrap();
            assert!(!file.is_in_place(), "{content:?}");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_file_other_than_a_client_key_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("server.key"), Key::generate().unwrap());
        for content in ["-----BEGIN PRIVATE KEY-----", "", &"x".repeat(DIGITS), &"0".repeat(DIGITS + 1)] {
            fs::write(&path, content).unwrap();
            let error = KeyFile::write(&path, &key).err().unwrap();
            assert!(error.to_string().contains("is not a client's key"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        #[cfg(unix)]
        {
            let target = folder.path().join("target");
            fs::write(&target, "0".repeat(DIGITS)).unwrap();
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(&target, &path).unwrap();
            assert!(KeyFile::write(&path, &key).is_err(), "it is a link");
        }
    }
}
