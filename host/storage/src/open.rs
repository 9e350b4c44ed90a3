//! Opening a cache file: a regular file of the user's own, within the size limit, and no symbolic
//! link unless the rules name its target.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use crate::Leniency;
use crate::files::{open_unfollowed, what};
use crate::{ReadError, Rules};

/// The file to use for `path`: itself, or the target of the symbolic link there, if the rules name
/// it.
pub(crate) fn resolve(path: &Path, rules: &Rules) -> Result<PathBuf, ReadError> {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    if !is_link {
        return Ok(path.to_owned());
    }
    let target = std::fs::canonicalize(path).map_err(|source| io_error("following", path, source))?;
    let named =
        |allowed: &PathBuf| *allowed == target || std::fs::canonicalize(allowed).is_ok_and(|named| named == target);
    if rules.symlink_targets.iter().any(named) {
        return Ok(target);
    }
    let target = target.display();
    Err(unusable(
        path,
        &format!("is a symbolic link to {target}; name that file, or list it under `symlink-targets` in the policy"),
    ))
}

/// Opens a file for reading, without blocking; on Unix follows no symbolic link. The closest flag
/// of Windows would also bypass the drivers that store a file's content elsewhere, so there only
/// `resolve` checks for links.
pub(crate) fn open(path: &Path) -> Result<File, ReadError> {
    let mut options = File::options();
    options.read(true);
    let opened = if cfg!(unix) { open_unfollowed(path, &mut options) } else { options.open(path) };
    opened.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ReadError::NotFound(format!("file {}", path.display())),
        _ => io_error("opening", path, source),
    })
}

/// A file that is no longer than `{}` holds no token. The tools signal changes in the keyring with
/// such files, and create them readable by every user.
#[cfg(unix)]
const HARMLESS: u64 = 2;

/// Refuses a file that the rules do not allow; returns a warning for a problem that they tolerate.
pub(crate) fn inspect(path: &Path, metadata: &Metadata, rules: &Rules) -> Result<Option<String>, ReadError> {
    if let Some(what) = what(metadata.file_type()) {
        let hint = "move it away and sign in again, or name the cache's file with `--source file:PATH`";
        return Err(unusable(path, &format!("is {what}, not a regular file; {hint}")));
    }
    check_size(path, metadata.len(), rules)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let mut problems = Vec::new();
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            let problem = format!("belongs to another user (id {})", metadata.uid());
            problems.push((
                problem,
                rules.other_owner,
                "copy it to a file of your own, or set `other-owner = \"warn\"` in the policy",
            ));
        }
        let mode = metadata.mode() & 0o7777;
        if mode & 0o077 != 0 {
            let problem = format!("may be used by other users (mode {mode:04o})");
            problems.push((problem, rules.loose_permissions, "run `chmod 600` on it"));
        }
        if let Some((problem, _, hint)) = problems.iter().find(|(_, leniency, _)| *leniency == Leniency::Refuse) {
            return Err(unusable(path, &format!("{problem}; {hint}")));
        }
        if !problems.is_empty() && metadata.len() > HARMLESS {
            let what: Vec<_> = problems.iter().map(|(problem, ..)| problem.as_str()).collect();
            let hint = problems.last().map(|(.., hint)| *hint).unwrap_or_default();
            return Ok(Some(format!("{} {}; {hint}", path.display(), what.join(" and "))));
        }
    }
    Ok(None)
}

pub(crate) fn check_size(path: &Path, size: u64, rules: &Rules) -> Result<(), ReadError> {
    if size > rules.largest {
        let allowed = rules.largest;
        let path = path.display();
        let why = format!("{path} has {size} bytes, and the policy's `limits.document-mib` allows {allowed}");
        return Err(ReadError::TooLarge(why));
    }
    Ok(())
}

/// Whether the user may write here. Checked before waiting for a lock, because a lock needs write
/// access too.
///
/// A file that its owner has made read-only could be replaced all the same. It is not: other tools
/// would not write it either, and its owner may want it unchanged.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::fs::{Access, AtFlags, CWD};
        use rustix::io::Errno;
        // Other errors are ignored: an old kernel or a sandbox may not support the call.
        if let Err(error @ (Errno::ACCESS | Errno::ROFS)) =
            rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS)
        {
            return Err(error.into());
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

pub(crate) fn unusable(path: &Path, why: &str) -> ReadError {
    ReadError::Unusable(format!("{} {why}", path.display()))
}

pub(crate) fn io_error(action: &'static str, path: &Path, source: io::Error) -> ReadError {
    ReadError::Io { action, path: path.display().to_string(), source }
}
/// Gives the replacement for the file at `path` that file's owner and group. Otherwise root,
/// writing into a user's folder, would take the file away from its user.
#[cfg(unix)]
pub(crate) fn keep_owner(path: &Path, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    let (old, made) = (std::fs::symlink_metadata(path)?, new.metadata()?);
    if old.uid() != made.uid() {
        return fchown(new, Some(old.uid()), Some(old.gid()));
    }
    // The mode is 0600, so the group has no access; failing to set it is no reason not to write.
    if old.gid() != made.gid()
        && let Err(error) = fchown(new, None, Some(old.gid()))
    {
        tracing::debug!("cannot keep the group of {}: {error}", path.display());
    }
    Ok(())
}

/// Windows takes the owner from the folder.
#[cfg(windows)]
pub(crate) fn keep_owner(_path: &Path, _new: &File) -> io::Result<()> {
    Ok(())
}
