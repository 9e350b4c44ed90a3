//! Processes in which a folder is unusual: read-only, mounted, another user's, or without locks or
//! links.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The id of a user who owns no files.
const NOBODY: u32 = 65534;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// The cache is mounted as a single file, as `docker run -v ~/.azure/msal_token_cache.json:…`
    /// does.
    SingleFile,
    /// The folder is mounted for reading only.
    ReadOnlyMount,
    /// As before, with a lock file that exists already.
    ReadOnlyMountWithLock,
    /// Neither the folder nor the file may be written.
    ReadOnlyModes,
    /// As before, with a lock file that exists already.
    ReadOnlyModesWithLock,
    /// The folder may be written, and the file may not.
    ReadOnlyFile,
    /// Another user holds the lock, in a file that only that user can open.
    LockOfAnother,
    /// `flock` fails with this errno.
    WithoutLocks(i32),
    /// `link` fails with this errno.
    WithoutLinks(i32),
}

impl Place {
    /// Why the machine cannot provide this place.
    pub(crate) fn missing(self) -> Option<String> {
        let (command, why) = match self {
            Self::SingleFile | Self::ReadOnlyMount | Self::ReadOnlyMountWithLock => {
                (name_space("mount --bind /tmp /tmp"), "name spaces for mounts can't be made here")
            }
            Self::LockOfAnother if !is_root() => return Some("only root can be two users".into()),
            Self::ReadOnlyModes | Self::ReadOnlyModesWithLock | Self::ReadOnlyFile | Self::LockOfAnother => {
                (as_somebody("true".as_ref()), "root ignores modes, and can't become somebody else here")
            }
            Self::WithoutLocks(_) | Self::WithoutLinks(_) => {
                let mut compiler = Command::new("cc");
                compiler.arg("--version");
                (compiler, "there is no C compiler")
            }
        };
        finished(command).is_err().then(|| why.to_owned())
    }

    /// Runs a check in this place.
    pub(crate) fn run(self, check: &str) -> Result<(), String> {
        let folder = tempfile::Builder::new().prefix("robustness").tempdir().map_err(|error| error.to_string())?;
        let command = self.prepare(folder.path(), check).map_err(|error| error.to_string())?;
        let outcome = finished(command);
        // A read-only folder has to be made writable before it can be removed.
        drop(fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)));
        outcome.map(drop)
    }

    fn prepare(self, folder: &Path, check: &str) -> io::Result<Command> {
        let cache = folder.join("cache");
        write(&cache, b"{\"a\":1}", 0o600)?;
        let lock = folder.join("cache.lockfile");
        if matches!(self, Self::ReadOnlyMountWithLock | Self::ReadOnlyModesWithLock) {
            write(&lock, b"1 python", 0o600)?;
        }
        let program = std::env::current_exe()?;
        let mut command = match self {
            Self::SingleFile => mounted(&program, &format!("mount --bind {0} {0}", cache.display())),
            Self::ReadOnlyMount | Self::ReadOnlyMountWithLock => {
                let folder = folder.display();
                mounted(&program, &format!("mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}"))
            }
            Self::ReadOnlyModes | Self::ReadOnlyModesWithLock | Self::ReadOnlyFile | Self::LockOfAnother => {
                // The target folder may be closed to other users.
                let copy = folder.join("program");
                fs::copy(program, &copy)?;
                if is_root() {
                    for path in [folder, &cache, &copy] {
                        chown(path, Some(NOBODY), Some(NOBODY))?;
                    }
                }
                if matches!(self, Self::ReadOnlyModesWithLock) && is_root() {
                    chown(&lock, Some(NOBODY), Some(NOBODY))?;
                }
                if matches!(self, Self::LockOfAnother) {
                    write(&lock, b"1 python", 0o600)?;
                } else {
                    fs::set_permissions(&cache, fs::Permissions::from_mode(0o400))?;
                }
                if matches!(self, Self::ReadOnlyModes | Self::ReadOnlyModesWithLock) {
                    fs::set_permissions(folder, fs::Permissions::from_mode(0o500))?;
                }
                as_somebody(&copy)
            }
            Self::WithoutLocks(errno) => without(folder, &program, "NO_LOCKS", errno)?,
            Self::WithoutLinks(errno) => without(folder, &program, "NO_LINKS", errno)?,
        };
        command.args(["inner", check]).arg(&cache);
        Ok(command)
    }
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    File::options().write(true).create_new(true).mode(mode).open(path)?.write_all(content)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A shell in name spaces of its own, in which a normal user becomes root.
fn name_space(script: &str) -> Command {
    let mut command = Command::new("unshare");
    if !is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "sh", "-ec", script]);
    command
}

fn mounted(program: &Path, script: &str) -> Command {
    let mut command = name_space(&format!("{script}\nexec \"$0\" \"$@\""));
    command.arg(program);
    command
}

/// A program run as a user without root's override of modes.
fn as_somebody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let id = NOBODY.to_string();
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]).arg(program);
    command
}

/// A program whose C library lacks a function.
fn without(folder: &Path, program: &Path, what: &str, errno: i32) -> io::Result<Command> {
    let shim: PathBuf = folder.join("shim.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/robustness/shim.c");
    let mut compiler = Command::new("cc");
    compiler.arg(format!("-D{what}={errno}")).args(["-shared", "-fPIC", "-w", "-o"]).arg(&shim).arg(source);
    finished(compiler).map_err(io::Error::other)?;
    let mut command = Command::new(program);
    command.env("LD_PRELOAD", shim);
    Ok(command)
}

fn finished(mut command: Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(output) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
