//! Files without permission for the user. Root can open every file, so a test that runs as root
//! switches to another user.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::process::run;
use shared_token_cache_interop::sign_in::{Home, expired};

use super::Check;
use super::call::{Answer, Cli};

pub(super) const CHECKS: &[Check] = &[("missing permissions are reported", permissions)];

/// `nobody` on Debian and most other systems; any user without privileges serves.
const NOBODY: u32 = 65_534;

fn permissions(cli: &Cli) -> Result<()> {
    let (before, authority) = (expired()?, Authority::start(Scheme::Http)?);
    let home = Home::with(Some(&before))?;
    let root = fs::metadata(home.path())?.uid() == 0;
    let programs = tempfile::tempdir()?;
    let folder = home.path().join(".IdentityService");
    let copy;
    let cli = if root {
        // Other users may not be able to enter the workspace's folder.
        let program = programs.path().join("wasmtime");
        let component = programs.path().join("component.wasm");
        fs::copy(&cli.program, &program).with_context(|| cli.program.display().to_string())?;
        fs::copy(&cli.component, &component)?;
        copy = Cli::new(&program, &component)?;
        for path in [programs.path(), &program, &component, home.path(), &folder, &home.cache()] {
            chown(path, Some(NOBODY), Some(NOBODY)).with_context(|| path.display().to_string())?;
        }
        &copy
    } else {
        cli
    };
    let call = || -> Result<Answer> {
        let mut command = cli.call(&home, &authority.name()).options(&["-C", "cache=n"]).command();
        if root {
            command.uid(NOBODY).gid(NOBODY);
        }
        Answer::of(&run(&mut command, "", Duration::from_secs(60))?)
    };

    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
    set(&home.cache(), 0o000)?;
    call()?.cannot_read(&["permissions"])?;
    set(&home.cache(), 0o600)?;
    set(&folder, 0o500)?;
    let answer = call();
    set(&folder, 0o700)?;
    let answer = answer?;
    answer.is_new_token()?;
    answer.logs("the permissions of its folder forbid it")?;
    ensure!(home.text()? == before, "the cache has changed");
    ensure!(home.beside()?.is_empty(), "something lies beside the cache");
    Ok(())
}
