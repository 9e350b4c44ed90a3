//! Replacing a file, and failing writes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Result, ensure};
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::sign_in::{Home, expired};

use super::Check;
use super::call::Cli;

pub(super) const CHECKS: &[Check] = &[
    ("in place, a file keeps its mode; renamed, it gets that of new files", modes),
    #[cfg(target_os = "linux")]
    ("a cache for which there is no room stays as it is", linux::no_room),
    #[cfg(target_os = "linux")]
    ("a crash while the file grows damages nothing, and heals", linux::crash),
    #[cfg(target_os = "linux")]
    ("a write that breaks off is undone, or reported", linux::broken_writes),
];

/// Writing in place is the default because WASI 0.2 creates files that all users may read, and
/// can't check it.
fn modes(cli: &Cli) -> Result<()> {
    for (how, before, after) in [("in-place", 0o600, 0o600), ("in-place", 0o640, 0o640), ("rename", 0o600, 0o644)] {
        let authority = Authority::start(Scheme::Http)?;
        let home = Home::with(Some(&expired()?))?;
        fs::set_permissions(home.cache(), Permissions::from_mode(before))?;
        let call = cli.call(&home, &authority.name()).set("SHARED_TOKEN_CACHE_REPLACE", how);
        call.through("umask 022; exec \"$@\"").make()?.is_new_token()?;
        ensure!(home.text()? != expired()?, "nothing was written with {how}");
        let mode = fs::metadata(home.cache())?.permissions().mode() & 0o777;
        ensure!(mode == after, "with {how}, {before:o} became {mode:o}");
        ensure!(home.beside()?.is_empty(), "something is left with {how}");
    }
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use shared_token_cache_interop::process::{output, run};
    use shared_token_cache_interop::root;

    use super::super::call::{Answer, Call};
    use super::super::locks::{SIGNATURE, lock_path, make_older};
    use super::*;
    use crate::scenario::is_written_back;

    const LIMIT: Duration = Duration::from_secs(60);

    /// A call under a limit on file size, which the added part of the new document exceeds.
    fn limited<'a>(cli: &'a Cli, home: &Home, authority: &Authority, before: &str, first: &str) -> Call<'a> {
        let script = format!("{first}exec prlimit --core=0 --fsize={} \"$@\"", before.len() + 100);
        // The limit applies to wasmtime's own files as well.
        let own_files = ["-O", "memory-init-cow=n", "-C", "cache=n"];
        cli.call(home, &authority.name()).through(&script).options(&own_files)
    }

    /// A process that ignores SIGXFSZ gets a write error, as on a full disk.
    pub(super) fn no_room(cli: &Cli) -> Result<()> {
        let (before, authority) = (expired()?, Authority::start(Scheme::Http)?);
        let home = Home::with(Some(&before))?;
        let answer = limited(cli, &home, &authority, &before, "trap '' XFSZ; ").make()?;
        answer.is_new_token()?;
        answer.logs("there is no space left for it")?;
        ensure!(home.text()? == before, "the cache has changed");
        ensure!(home.beside()?.is_empty(), "a lock is left");
        Ok(())
    }

    /// SIGXFSZ kills a process that does not ignore it; its lock file remains.
    pub(super) fn crash(cli: &Cli) -> Result<()> {
        let (before, authority) = (expired()?, Authority::start(Scheme::Http)?);
        let home = Home::with(Some(&before))?;
        let killed = run(&mut limited(cli, &home, &authority, &before, "").command(), "", LIMIT)?;
        ensure!(!killed.status.success(), "it was not killed");
        let text = home.text()?;
        ensure!(text.len() > before.len() && text.trim_end() == before.trim_end(), "the cache is damaged");
        ensure!(fs::read_to_string(lock_path(&home))? == SIGNATURE, "it was killed without a lock");
        make_older(&home, Duration::from_secs(62))?;
        cli.call(&home, &authority.name()).make()?.is_new_token()?;
        is_written_back(&home)?;
        ensure!(home.beside()?.is_empty(), "a lock is left");
        Ok(())
    }

    /// A preloaded library fails the first write, or that write and the rollback.
    pub(super) fn broken_writes(cli: &Cli) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let library = folder.path().join("broken_writes.so");
        let source = root().join("tests/hosts/wasmtime/broken_writes.c");
        output(Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl"), LIMIT)?;

        let undone = with_broken_writes(cli, &library, 1)?;
        ensure!(undone.1 == expired()?, "the cache has changed");
        undone.0.logs("was not updated")?;
        ensure!(!undone.0.log.contains("damaged"), "a rolled back write is reported as damage");

        let damaged = with_broken_writes(cli, &library, 2)?;
        ensure!(damaged.1 != expired()?, "the second write did not break off");
        damaged.0.logs("it is damaged now")
    }

    fn with_broken_writes(cli: &Cli, library: &Path, count: usize) -> Result<(Answer, String)> {
        let authority = Authority::start(Scheme::Http)?;
        let home = Home::with(Some(&expired()?))?;
        let call = cli.call(&home, &authority.name()).with("LD_PRELOAD", &library.to_string_lossy());
        let answer = call.with("BROKEN_WRITES", &count.to_string()).make()?;
        answer.is_new_token()?;
        Ok((answer, home.text()?))
    }
}
