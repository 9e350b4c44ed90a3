//! Adds access tokens to a cache file, one after the other, while other programs do the same: each
//! reads the document, adds an entry, and replaces the document if it has not changed since
//! (compare-and-swap).
//!
//! `cargo run --example writer -- CACHE ID (--count N | --seconds N) [--pause MILLISECONDS]`
//!
//! The key of an entry is printed once the entry is saved, with the microseconds that this took. So
//! a killed writer has saved every key that it printed, and at most one more.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use shared_token_cache_storage::{FileStore, Leniency, Read, ReadError, Rules, Store as _, WriteError};

const USAGE: &str = "usage: writer CACHE ID (--count N | --seconds N) [--pause MILLISECONDS]";

fn main() -> ExitCode {
    start(std::env::args().skip(1))
}

/// The program with these arguments.
pub(crate) fn start(arguments: impl Iterator<Item = String>) -> ExitCode {
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stdout(), "error {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes until the count or the time is reached. A conflict or a held lock is not an error.
fn run(arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let options = Options::parse(arguments).ok_or(USAGE)?;
    let store = FileStore::new(options.cache, rules());
    let started = Instant::now();
    for number in 0..options.count {
        if started.elapsed() >= options.time {
            break;
        }
        let begun = Instant::now();
        let line = match save(&store, &format!("{}-{number}", options.id)) {
            Ok(key) => format!("saved {key} {}\n", begun.elapsed().as_micros()),
            Err(error) if is_taken(error.as_ref()) => "gave-up\n".to_owned(),
            Err(error) => return Err(error),
        };
        // One write call, so that a reader never sees half of a line when this process is killed.
        std::io::stdout().write_all(line.as_bytes())?;
        std::io::stdout().flush()?;
        std::thread::sleep(options.pause.mul_f32(2.0 * fastrand::f32()));
    }
    Ok(())
}

/// Strict rules, and a limit of 64 MiB.
pub(crate) fn rules() -> Rules {
    Rules {
        largest: 64 << 20,
        loose_permissions: Leniency::Refuse,
        other_owner: Leniency::Refuse,
        symlink_targets: Vec::new(),
    }
}

/// Saves one entry, retrying after each conflict, and returns the entry's key. Fails if another
/// program keeps the lock.
pub(crate) fn save(store: &FileStore, id: &str) -> Result<String, Box<dyn Error>> {
    loop {
        let Read::Document(document) = store.read(None)? else { continue };
        let mut cache: Map<String, Value> = serde_json::from_slice(&document.content)?;
        let tokens = cache.entry("AccessToken").or_insert_with(|| Value::Object(Map::new()));
        let tokens = tokens.as_object_mut().ok_or("the section of access tokens is no object")?;
        let (key, entry) = entry(id);
        tokens.insert(key.clone(), entry);
        match store.replace(&document.version, &serde_json::to_vec_pretty(&cache)?) {
            Ok(_) => return Ok(key),
            Err(WriteError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether another program held the file all the time, so that a retry may succeed.
fn is_taken(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(WriteError::Locked(_)))
        || matches!(error.downcast_ref(), Some(ReadError::Busy(_)))
}

fn entry(id: &str) -> (String, Value) {
    let (account, realm) = ("uid0.contoso", "contoso");
    let (environment, client, target) = ("login.microsoftonline.com", "04b07795-client", format!("{id}/.default"));
    let key = format!("{account}-{environment}-accesstoken-{client}-{realm}-{target}");
    let entry = json!({
        "credential_type": "AccessToken", "secret": format!("at-{id}"), "home_account_id": account, "environment": environment,
        "client_id": client, "target": target, "realm": realm, "token_type": "Bearer", "cached_at": "1", "expires_on": "2",
    });
    (key, entry)
}

struct Options {
    cache: PathBuf,
    id: String,
    count: usize,
    time: Duration,
    /// Between two entries, on average.
    pause: Duration,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let (cache, id) = (arguments.next()?.into(), arguments.next()?);
        let mut options = Self { cache, id, count: usize::MAX, time: Duration::MAX, pause: Duration::ZERO };
        let mut limited = false;
        while let Some(option) = arguments.next() {
            let value: u32 = arguments.next()?.parse().ok()?;
            match option.as_str() {
                "--count" => options.count = usize::try_from(value).ok()?,
                "--seconds" => options.time = Duration::from_secs(value.into()),
                "--pause" => options.pause = Duration::from_millis(value.into()),
                _ => return None,
            }
            limited |= option != "--pause";
        }
        limited.then_some(options)
    }
}
