//! Granted folders, missing grants, and other kinds of files in place of the cache.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use shared_token_cache_interop::sign_in::{Home, cached};
use token_endpoint::sign_in::{VAULT, access_token};

use super::Check;
use super::call::{Cli, HOME};
use crate::scenario::is_token;

/// These calls send no request.
const NOBODY: &str = "localhost:9";

pub(super) const CHECKS: &[Check] = &[
    ("a missing grant, folder and file have different errors", missing),
    ("of two folders, the one with HOME counts", two_folders),
    ("a working directory is searched", working_directory),
    #[cfg(unix)]
    ("only regular files are opened", no_regular_file),
];

fn missing(cli: &Cli) -> Result<()> {
    let (home, other) = (Home::with(None)?, tempfile::tempdir()?);
    let call = || cli.call(&home, NOBODY);
    let file = format!("{HOME}/.IdentityService/msal.cache.nocae");

    let no_folder = call().folders(&[]);
    no_folder.make()?.cannot_read(&["does not grant the folder of", &file])?;
    let other_folder = || call().folders(&[(other.path(), "/other")]);
    other_folder().make()?.cannot_read(&["does not grant the folder of", &file, "granted: /other"])?;
    other_folder().unset("HOME").make()?.cannot_read(&["neither HOME nor USERPROFILE is set", ".IdentityService"])?;

    let not_there = format!("there is no {file};");
    call().make()?.is_error("credential-unavailable", Some("no-accounts"), &[&not_there])?;
    fs::remove_dir(home.path().join(".IdentityService"))?;
    let folder_too = format!("there is no {file} (its folder is missing, too);");
    call().make()?.is_error("credential-unavailable", Some("no-accounts"), &[&folder_too])
}

fn two_folders(cli: &Cli) -> Result<()> {
    let (home, other) = (Home::with(Some(&cached()))?, Home::with(Some("{\"decoy\": true}"))?);
    let (ours, others) = ((home.path(), HOME), (other.path(), "/home/user1"));
    for folders in [[ours, others], [others, ours]] {
        let answer = cli.call(&home, NOBODY).folders(&folders).make()?;
        is_token(&answer.outcome, &access_token(0, VAULT))?;
    }
    Ok(())
}

/// `--dir .` in the home folder: the preopened name `.` does not contain the path, whatever `HOME`
/// is.
fn working_directory(cli: &Cli) -> Result<()> {
    let home = Home::with(Some(&cached()))?;
    for call in [cli.call(&home, NOBODY), cli.call(&home, NOBODY).unset("HOME")] {
        let answer = call.folders(&[(Path::new("."), ".")]).make()?;
        is_token(&answer.outcome, &access_token(0, VAULT))?;
    }
    Ok(())
}

#[cfg(unix)]
fn no_regular_file(cli: &Cli) -> Result<()> {
    let cases = [
        ("a symbolic link", put_link as fn(&Home) -> Result<()>),
        ("not a regular file", put_folder),
        ("not a regular file", put_pipe),
        ("symbolic link may lead out of the folder", put_link_for_the_folder),
    ];
    for (why, put) in cases {
        let home = Home::with(None)?;
        put(&home)?;
        cli.call(&home, NOBODY).make()?.cannot_read(&[why])?;
    }
    Ok(())
}

#[cfg(unix)]
fn put_link(home: &Home) -> Result<()> {
    let target = home.path().join("target");
    fs::write(&target, cached())?;
    Ok(std::os::unix::fs::symlink(target, home.cache())?)
}

#[cfg(unix)]
fn put_folder(home: &Home) -> Result<()> {
    Ok(fs::create_dir(home.cache())?)
}

/// Opening a FIFO blocks until its other end is open.
#[cfg(unix)]
fn put_pipe(home: &Home) -> Result<()> {
    let made = std::process::Command::new("mkfifo").arg(home.cache()).status()?;
    ensure!(made.success(), "mkfifo failed");
    Ok(())
}

/// A link whose target is outside the granted folders.
#[cfg(unix)]
fn put_link_for_the_folder(home: &Home) -> Result<()> {
    let folder = home.path().join(".IdentityService");
    fs::remove_dir(&folder)?;
    Ok(std::os::unix::fs::symlink(std::env::temp_dir(), folder)?)
}
