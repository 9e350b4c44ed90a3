//! The socket: accessible to allowed users only from its first moment, and never bound in place of
//! a running server's.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Where to listen, and which users may connect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// The socket. A missing folder is created, accessible to its owner only.
    pub path: PathBuf,
    /// Users besides this process's own who may connect.
    pub allow_uids: Vec<u32>,
}

/// Why the socket cannot be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another process listens there.
    #[error("another server listens on {}; end it first, or choose another path", .0.display())]
    InUse(PathBuf),
    /// The path has a file that is not a socket.
    #[error("{} exists and is not a socket; choose another path", .0.display())]
    NoSocket(PathBuf),
    /// Other users may write the folder, or own it.
    #[error("the folder {} lets other users replace its files; choose a folder of yours that only you may write", .0.display())]
    Folder(PathBuf),
    /// The path is too long for a socket.
    #[error("cannot use {} as the path of a socket: it has {} bytes, and at most {LONGEST_PATH} are possible", .0.display(), .0.as_os_str().len())]
    TooLong(PathBuf),
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// The action that failed.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

/// The size of `sockaddr_un` on Linux and macOS, less the ending of the temporary name.
const LONGEST_PATH: usize = 103 - ENDING;

/// A dot and random letters and digits.
const ENDING: usize = 9;

/// A socket that is removed when dropped, unless another file has replaced it.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    inode: u64,
}

impl Socket {
    /// Listens at the path.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(options: &SocketOptions) -> Result<(Self, UnixListener), BindError> {
        let path = &options.path;
        if path.as_os_str().len() > LONGEST_PATH {
            return Err(BindError::TooLong(path.clone()));
        }
        let for_others = !options.allow_uids.is_empty();
        make_folder(path, for_others)?;
        check_vacant(path)?;
        // The socket gets its mode under a random name before it is renamed to its path, replacing
        // one that was left behind. Binding fails if the random name exists.
        let mut new = path.clone().into_os_string();
        new.push(".");
        new.extend(
            std::iter::repeat_with(|| fastrand::alphanumeric().to_string()).take(ENDING - 1).map(OsString::from),
        );
        let new = PathBuf::from(new);
        let listener = UnixListener::bind(&new).map_err(|error| io_error("listen on", &new, error))?;
        // With other users, access is checked by the kernel's report of the user who connects.
        let mode = if for_others { 0o666 } else { 0o600 };
        let named = || {
            fs::set_permissions(&new, Permissions::from_mode(mode))
                .map_err(|error| io_error("change the mode of", &new, error))?;
            let inode = fs::symlink_metadata(&new).map_err(|error| io_error("examine", &new, error))?.ino();
            fs::rename(&new, path).map_err(|error| io_error("rename a socket to", path, error))?;
            Ok(inode)
        };
        match named() {
            Ok(inode) => Ok((Self { path: path.clone(), inode }, listener)),
            Err(error) => {
                // This process has just created the name, in a folder that other users can't write.
                let _ = fs::remove_file(&new);
                Err(error)
            }
        }
    }
}

impl Socket {
    /// Whether the path still refers to this socket. The listener keeps the inode's number from
    /// being reused.
    pub(crate) fn is_in_place(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.is_in_place()
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::debug!("{} stays: {error}", self.path.display());
        }
    }
}

fn make_folder(path: &Path, for_others: bool) -> Result<(), BindError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    match fs::metadata(folder) {
        Ok(metadata) => {
            let (mode, owner) = (metadata.mode(), metadata.uid());
            let own = owner == rustix::process::geteuid().as_raw() || owner == 0;
            // In a folder such as /tmp only a file's owner can replace it.
            let shared = mode & 0o022 != 0 && mode & 0o1000 == 0;
            if shared || !own { Err(BindError::Folder(folder.to_path_buf())) } else { Ok(()) }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mode = if for_others { 0o711 } else { 0o700 };
            let made = DirBuilder::new().recursive(true).mode(mode).create(folder);
            made.map_err(|error| io_error("create the folder", folder, error))
        }
        Err(error) => Err(io_error("examine", folder, error)),
    }
}

/// Whether the path may be replaced: it is free, or has a socket without a listener.
fn check_vacant(path: &Path) -> Result<(), BindError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.file_type().is_socket() => Err(BindError::NoSocket(path.to_path_buf())),
        Ok(_) => match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Ok(_) => Err(BindError::InUse(path.to_path_buf())),
            Err(error) => Err(io_error("connect to", path, error)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error("examine", path, error)),
    }
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> BindError {
    BindError::Io { action, path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(path: &Path) -> SocketOptions {
        SocketOptions { path: path.to_path_buf(), allow_uids: Vec::new() }
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    #[tokio::test]
    async fn a_socket_is_its_owners_unless_others_are_named_and_ends_with_its_server() {
        let folder = tempfile::tempdir().unwrap();
        for (name, allow_uids, folder_mode, socket_mode) in [("a", vec![], 0o700, 0o600), ("b", vec![1], 0o711, 0o666)]
        {
            let path = folder.path().join(name).join("sds.sock");
            let bound = Socket::bind(&SocketOptions { path: path.clone(), allow_uids }).unwrap();
            assert_eq!((mode(path.parent().unwrap()), mode(&path)), (folder_mode, socket_mode));
            assert!(UnixStream::connect(&path).is_ok());
            drop(bound);
            assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
        }
    }

    #[tokio::test]
    async fn a_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sds.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let notes = folder.path().join("sds.sock.new");
        fs::write(&notes, "notes").unwrap();
        let first = Socket::bind(&options(&path)).unwrap();
        assert!(matches!(Socket::bind(&options(&path)), Err(BindError::InUse(_))));
        assert!(UnixStream::connect(&path).is_ok());
        // Another server has replaced the socket, so the first one must not remove it.
        fs::remove_file(&path).unwrap();
        let second = Socket::bind(&options(&path)).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(&notes).unwrap(), "notes", "no file of another name is touched");
    }

    #[tokio::test]
    async fn a_folder_in_which_others_may_replace_the_socket_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sds.sock");
        for (mode, refused) in [(0o777, true), (0o770, true), (0o1777, false), (0o755, false)] {
            fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
            let bound = Socket::bind(&options(&path));
            assert_eq!(matches!(bound, Err(BindError::Folder(_))), refused, "{mode:o}");
            assert_eq!(bound.is_ok(), !refused, "{mode:o}");
        }
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(folder.path(), Some(65533), None).unwrap();
            assert!(matches!(Socket::bind(&options(&path)), Err(BindError::Folder(_))), "the folder is another user's");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_not_a_socket_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("precious");
        fs::write(&path, "x").unwrap();
        assert!(matches!(Socket::bind(&options(&path)), Err(BindError::NoSocket(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "x");
        let long = folder.path().join("x".repeat(100));
        let error = Socket::bind(&options(&long)).unwrap_err();
        assert!(matches!(error, BindError::TooLong(_)) && error.to_string().contains("bytes, and at most"), "{error}");
        assert!(matches!(Socket::bind(&options(&path.join("below"))), Err(BindError::Io { .. })));
    }
}
