//! The lock file that all writers share, and changes between read and write.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, anyhow, bail, ensure};
use serde_json::{Map, Value, json};
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::sign_in::{Home, expired};
use token_endpoint::Reply;
use token_endpoint::sign_in::{LOCAL, SignIn, document, token_reply};

use super::Check;
use super::call::Cli;
use crate::scenario::is_written_back;

/// The text in the adapter's lock file.
pub(super) const SIGNATURE: &str = "0 shared-token-cache-wasi-adapter";

pub(super) const CHECKS: &[Check] = &[
    ("a lock of another program is never taken over", lock_of_another),
    ("a lock that is given up is waited for", lock_given_up),
    ("a lock that an adapter left behind is removed", stale_lock),
    ("8 writers at once lose nothing", many_writers),
    ("a change made meanwhile survives", change_meanwhile),
    ("a cache removed meanwhile does not come back", removed_meanwhile),
];

pub(super) fn lock_path(home: &Home) -> PathBuf {
    home.cache().with_extension("nocae.lockfile")
}

/// A lock file with this text and age.
pub(super) fn put_lock(home: &Home, text: &str, age: Duration) -> Result<()> {
    fs::write(lock_path(home), text)?;
    make_older(home, age)
}

pub(super) fn make_older(home: &Home, age: Duration) -> Result<()> {
    let file = File::options().write(true).open(lock_path(home))?;
    Ok(file.set_modified(SystemTime::now() - age)?)
}

fn lock_of_another(cli: &Cli) -> Result<()> {
    let day = Duration::from_secs(24 * 60 * 60);
    let cases = [
        ("4711 python", day),
        // The lock file has no signature, so its owner is unknown.
        ("", day),
        (SIGNATURE, Duration::from_secs(30)),
    ];
    std::thread::scope(|scope| {
        let cases = cases.map(|(text, age)| scope.spawn(move || is_minded(cli, text, age, false)));
        let flock = scope.spawn(|| is_minded(cli, "", Duration::ZERO, true));
        cases.into_iter().chain([flock]).try_for_each(|case| case.join().map_err(|_| anyhow!("a panic"))?)
    })
}

fn is_minded(cli: &Cli, text: &str, age: Duration, flock: bool) -> Result<()> {
    let (before, authority) = (expired()?, Authority::start(Scheme::Http)?);
    let home = Home::with(Some(&before))?;
    put_lock(&home, text, age)?;
    let lock = File::open(lock_path(&home))?;
    if flock {
        lock.lock()?;
    }
    let answer = cli.call(&home, &authority.name()).make()?;
    answer.is_new_token()?;
    let holder = if text.is_empty() { "another program".to_owned() } else { format!("`{text}`") };
    answer.logs(&format!("msal.cache.nocae.lockfile is held by {holder}"))?;
    answer.logs("was not updated")?;
    ensure!(home.text()? == before, "the cache was written under the lock {text:?}");
    ensure!(fs::read_to_string(lock_path(&home))? == text, "the lock {text:?} is another one now");
    Ok(())
}

fn lock_given_up(cli: &Cli) -> Result<()> {
    let authority = Authority::start(Scheme::Http)?;
    let home = Home::with(Some(&expired()?))?;
    put_lock(&home, "4711 python", Duration::ZERO)?;
    let (lock, started) = (lock_path(&home), Instant::now());
    let holder = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(2));
        fs::remove_file(lock)
    });
    cli.call(&home, &authority.name()).make()?.is_new_token()?;
    holder.join().map_err(|_| anyhow!("a panic"))??;
    ensure!(started.elapsed() >= Duration::from_secs(2), "it did not wait");
    is_written_back(&home)?;
    ensure!(home.beside()?.is_empty(), "a lock is left");
    Ok(())
}

fn stale_lock(cli: &Cli) -> Result<()> {
    let authority = Authority::start(Scheme::Http)?;
    let home = Home::with(Some(&expired()?))?;
    put_lock(&home, SIGNATURE, Duration::from_secs(62))?;
    cli.call(&home, &authority.name()).make()?.is_new_token()?;
    is_written_back(&home)?;
    ensure!(home.beside()?.is_empty(), "a lock is left");
    Ok(())
}

fn many_writers(cli: &Cli) -> Result<()> {
    const WRITERS: usize = 8;
    for how in ["in-place", "rename"] {
        let authority = Authority::start(Scheme::Http)?;
        let home = Home::with(Some(&document(&[SignIn::new(0, LOCAL)])))?;
        let (home, authority) = (&home, &authority.name());
        let write = |number| {
            let call = cli.call(home, authority).set("SHARED_TOKEN_CACHE_REPLACE", how);
            let answer = call.scope(&format!("https://api{number}.contoso.com/.default")).make()?;
            answer.is_new_token()?;
            ensure!(answer.log.is_empty(), "{}", answer.log);
            Ok(())
        };
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS).map(|number| scope.spawn(move || write(number))).collect();
            writers.into_iter().try_for_each(|writer| writer.join().map_err(|_| anyhow!("a panic"))?)
        })?;
        let stored = home.read()?.get("AccessToken").and_then(Value::as_object).map_or(0, Map::len);
        ensure!(stored == WRITERS, "{stored} of {WRITERS} tokens are stored with {how}");
        ensure!(home.beside()?.is_empty(), "something is left with {how}");
    }
    Ok(())
}

/// Another program rewrites the cache during the token request.
fn change_meanwhile(cli: &Cli) -> Result<()> {
    let home = Home::with(Some(&expired()?))?;
    let cache = home.cache();
    let authority = Authority::answering(Scheme::Http, move |_| {
        let change = || -> Result<()> {
            let mut document: Value = serde_json::from_slice(&fs::read(&cache)?)?;
            let Some(sections) = document.as_object_mut() else { bail!("no document") };
            sections.insert("Meanwhile".into(), json!({ "kept": true }));
            Ok(fs::write(&cache, document.to_string())?)
        };
        match change() {
            Ok(()) => Reply::json(200, token_reply(0)),
            Err(_) => Reply::hang_up(),
        }
    })?;
    cli.call(&home, &authority.name()).make()?.is_new_token()?;
    ensure!(home.read()?.get("Meanwhile") == Some(&json!({ "kept": true })), "the other program's change is lost");
    is_written_back(&home)
}

/// The user signs out during the token request.
fn removed_meanwhile(cli: &Cli) -> Result<()> {
    let home = Home::with(Some(&expired()?))?;
    let cache = home.cache();
    let authority = Authority::answering(Scheme::Http, move |_| match fs::remove_file(&cache) {
        Ok(()) => Reply::json(200, token_reply(0)),
        Err(_) => Reply::hang_up(),
    })?;
    cli.call(&home, &authority.name()).make()?.is_new_token()?;
    ensure!(!home.cache().exists(), "the cache is there again");
    ensure!(home.beside()?.is_empty(), "something is left");
    Ok(())
}
