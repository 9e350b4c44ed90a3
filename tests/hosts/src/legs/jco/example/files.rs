//! How the class handles cache files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::json;
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::process::output;
use shared_token_cache_interop::sign_in::{self, Home};
use token_endpoint::Reply;
use token_endpoint::sign_in::{MARK, new_access_token, new_refresh_token};

use super::{World, reply_with};
use crate::outcome::Outcome;
use crate::scenario::is_token;

pub(super) fn writers(world: &World<'_>) -> Result<()> {
    let scopes: Vec<_> = (0..8).map(|number| format!("https://resource{number}.contoso.com/.default")).collect();
    let token = |scope: &str| format!("at-{MARK}-for-{scope}");
    let home = Home::with(Some(&sign_in::expired()?))?;
    let authority = Authority::answering(Scheme::Https, move |request| {
        Reply::json(200, reply_with("access_token", &token(request.field("scope").unwrap_or_default())))
    })?;
    world.run("writers.mjs", &home, &authority, json!({ "scopes": scopes }))?;
    let text = home.text()?;
    for scope in &scopes {
        ensure!(text.contains(&token(scope)), "the token for {scope} is lost");
    }
    nothing_beside(&home, &[])
}

pub(super) fn locked(world: &World<'_>) -> Result<()> {
    let before = sign_in::expired()?;
    let home = Home::with(Some(&before))?;
    fs::write(lockfile(&home), "1 somebody")?;
    let authority = Authority::start(Scheme::Https)?;
    let (outcome, finished) = world.call(&home, &authority)?;
    is_new_token(&outcome)?;
    ensure!(finished.stderr.contains("SharedTokenCacheWarning"), "no warning: {}", finished.stderr);
    ensure!(home.text()? == before, "the cache was written in spite of the lock");
    nothing_beside(&home, &["msal.cache.nocae.lockfile"])
}

pub(super) fn abandoned_lock(world: &World<'_>) -> Result<()> {
    let mut child = Command::new("node").arg("--version").stdout(Stdio::null()).spawn()?;
    child.wait()?;
    let home = Home::with(Some(&sign_in::expired()?))?;
    fs::write(lockfile(&home), format!("{} shared-token-cache-node", child.id()))?;
    fs::File::options()
        .write(true)
        .open(lockfile(&home))?
        .set_modified(SystemTime::now() - Duration::from_secs(120))?;
    let authority = Authority::start(Scheme::Https)?;
    is_new_token(&world.call(&home, &authority)?.0)?;
    ensure!(home.text()?.contains(&new_refresh_token(0)), "nothing was written");
    nothing_beside(&home, &[])
}

pub(super) fn no_file(world: &World<'_>) -> Result<()> {
    let home = Home::with(None)?;
    let authority = Authority::start(Scheme::Https)?;
    let unavailable = |why: &str| {
        let (outcome, _) = world.call(&home, &authority)?;
        let Outcome::Error { error } = &outcome else { bail!("{why}: {outcome:?}") };
        ensure!(error.reason.as_deref() == Some("cache-unavailable") && error.message.contains(why), "{error:?}");
        Ok(fs::remove_file(home.cache())?)
    };
    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, sign_in::cached())?;
    link(&elsewhere, &home.cache())?;
    unavailable("symbolic link")?;
    // Opening a FIFO without a writer blocks forever.
    output(Command::new("mkfifo").arg(home.cache()), Duration::from_secs(10))?;
    unavailable("not a regular file")?;
    // MSAL leaves an empty file to signal a change of the keyring.
    fs::write(home.cache(), "")?;
    unavailable("keyring")
}

pub(super) fn torn(world: &World<'_>) -> Result<()> {
    let home = Home::with(Some(&sign_in::corrupt()))?;
    let (path, authority) = (home.cache(), Authority::start(Scheme::Https)?);
    let writer = std::thread::spawn(move || {
        // Node.js takes some 0.2 s to reach the file, and then polls for up to 1 s.
        std::thread::sleep(Duration::from_millis(700));
        fs::write(path, sign_in::cached())
    });
    let outcome = world.call(&home, &authority);
    writer.join().map_err(|_| anyhow!("the writer broke"))??;
    let (outcome, _) = outcome?;
    ensure!(matches!(outcome, Outcome::Token { .. }), "{outcome:?}");
    Ok(())
}

pub(super) fn azure_cli(world: &World<'_>) -> Result<()> {
    let home = Home::with(None)?;
    let authority = Authority::start(Scheme::Https)?;
    let elsewhere = home.path().join("config");
    for (folder, variables) in [
        (home.path().join(".azure"), vec![]),
        (elsewhere.clone(), vec![("AZURE_CONFIG_DIR", elsewhere.to_str().context("a path that is no text")?)]),
    ] {
        let file = folder.join("msal_token_cache.json");
        fs::create_dir(&folder)?;
        fs::write(&file, sign_in::expired()?)?;
        let options = json!({ "source": "azure-cli" });
        is_new_token(&world.call_with(&home, &authority, options, &variables)?.0)?;
        ensure!(
            fs::read_to_string(&file)?.contains(&new_refresh_token(0)),
            "nothing was written to {}",
            file.display()
        );
    }
    nothing_beside(&home, &[])
}

pub(super) fn loose_permissions(world: &World<'_>) -> Result<()> {
    let home = Home::with(Some(&sign_in::expired()?))?;
    set_mode(&home.cache(), 0o644)?;
    let authority = Authority::start(Scheme::Https)?;
    let (outcome, finished) = world.call(&home, &authority)?;
    is_new_token(&outcome)?;
    ensure!(finished.stderr.contains("its mode should be 600"), "no warning: {}", finished.stderr);
    ensure!(mode(&home.cache())? == 0o600, "the cache file has mode {:o}", mode(&home.cache())?);
    Ok(())
}

fn is_new_token(outcome: &Outcome) -> Result<()> {
    is_token(outcome, &new_access_token(0))
}

fn lockfile(home: &Home) -> PathBuf {
    let mut path = home.cache().into_os_string();
    path.push(".lockfile");
    PathBuf::from(path)
}

fn nothing_beside(home: &Home, but: &[&str]) -> Result<()> {
    let beside = home.beside()?;
    ensure!(beside == but, "beside the cache: {}", beside.join(", "));
    Ok(())
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(target, path)?)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

#[cfg(unix)]
fn mode(path: &Path) -> Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> Result<()> {
    bail!("the class is for Linux and macOS")
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> Result<()> {
    bail!("the class is for Linux and macOS")
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Result<u32> {
    bail!("the class is for Linux and macOS")
}
