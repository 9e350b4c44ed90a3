//! The next program of the same name in `PATH`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::commands::called::Tool;
use crate::commands::complain;

/// The copies of this program that have already passed the command line on. Without the list,
/// several copies in `PATH` would pass it to each other forever.
const SEEN: &str = "SHARED_TOKEN_CACHE_SHIMS";

/// A shell's exit code for a missing program.
const NOT_FOUND: u8 = 127;

/// Runs the next program with the same arguments; on Unix it replaces this process.
pub(super) fn run(tool: Tool, arguments: &[OsString]) -> ExitCode {
    let name = tool.name();
    let Some((program, seen)) = look(tool) else {
        // SDKs recognise a missing tool by `az:… not found`, and continue with the next credential.
        complain(&format!(
            "{name}: another program of this name was not found in PATH, and this one answers requests for tokens only"
        ));
        return ExitCode::from(NOT_FOUND);
    };
    let mut command = Command::new(&program);
    command.args(arguments).env(SEEN, seen);
    let failed = |error: std::io::Error| {
        complain(&format!("cannot run {}: {error}", program.display()));
        ExitCode::from(NOT_FOUND - 1)
    };
    #[cfg(unix)]
    return failed(std::os::unix::process::CommandExt::exec(&mut command));
    #[cfg(not(unix))]
    match command.status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => failed(error),
    }
}

/// The next program, if there is one.
pub(super) fn find(tool: Tool) -> Option<PathBuf> {
    look(tool).map(|(program, _)| program)
}

fn look(tool: Tool) -> Option<(PathBuf, String)> {
    let mut seen = std::env::var(SEEN).unwrap_or_default();
    if let Some(own) = std::env::current_exe().ok().and_then(|path| identity(&path)) {
        seen = if seen.is_empty() { own } else { format!("{seen},{own}") };
    }
    let names = if cfg!(windows) {
        vec![format!("{}.exe", tool.name()), format!("{}.cmd", tool.name())]
    } else {
        vec![tool.name().to_owned()]
    };
    let path = std::env::var_os("PATH")?;
    // An empty entry is the current folder. It gets a name, because a program without a folder in its
    // path would be searched in PATH again, where this one comes first.
    let named = |folder: PathBuf| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    let candidates = std::env::split_paths(&path)
        .map(named)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)).collect::<Vec<_>>());
    let mut others = candidates.filter(|program| {
        is_program(program) && identity(program).is_some_and(|identity| !seen.split(',').any(|seen| seen == identity))
    });
    Some((others.next()?, seen))
}

/// A file's identity, independent of the links to it.
fn identity(path: &Path) -> Option<String> {
    let canonical = path.canonicalize().ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = canonical.metadata().ok()?;
        Some(format!("{}:{}", metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    Some(canonical.to_str()?.replace(',', "%2C"))
}

fn is_program(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    metadata.is_file() && may_run
}
