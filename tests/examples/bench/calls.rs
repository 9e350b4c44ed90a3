//! The first call, which reads the cache, and a warm one.

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use shared_token_cache::SharedTokenCacheCredential;
use shared_token_cache_core::{Credential, Options, TokenRequestOptions};
use shared_token_cache_tests::home::Home;
use tokio::runtime::{Builder, Runtime};

use crate::Outcome;
use crate::caches::{SCOPE, with_access_tokens};
use crate::native::Native;
use crate::report::{Report, median_and_p99};

const CALLS: usize = 2_000;
const FIRST_CALLS: usize = 5;

struct World {
    runtime: Runtime,
    home: Home,
    credential: SharedTokenCacheCredential,
    username: String,
}

impl World {
    fn new(accounts: usize) -> Outcome<Self> {
        let home = Home::signed_in(0)?;
        home.write(&with_access_tokens(accounts, 1))?;
        // A file that was written just now is read when the step of its time is over; real caches are older.
        std::thread::sleep(Duration::from_millis(20));
        let username = format!("user{}@contoso.com", accounts - 1);
        let credential = home.builder().username(&username).build()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, home, credential, username })
    }

    fn call(&self) -> Outcome {
        black_box(self.runtime.block_on(self.credential.get_token(&[SCOPE]))?);
        Ok(())
    }

    fn first_call(&self) -> Outcome {
        self.runtime.block_on(self.credential.close())?;
        self.call()
    }

    fn native(&self) -> Outcome<(Credential, Native)> {
        let username = Some(self.username.clone());
        Ok((Credential::new(Options { username, ..Options::default() })?, Native(self.home.cache())))
    }
}

/// Adds the rows of caches with so many accounts.
pub(crate) fn measure(accounts: usize, report: &mut Report) -> Outcome {
    let world = World::new(accounts)?;
    let what = |what: &str| format!("{what}, {accounts} accounts");
    let first = times(FIRST_CALLS, || world.first_call())?;
    let warm = times(CALLS, || world.call())?;
    let (scopes, request) = ([SCOPE.to_owned()], TokenRequestOptions::default());
    let (mut credential, mut platform) = world.native()?;
    let mut native = || {
        black_box(credential.get_token(&mut platform, &scopes, &request)?);
        Ok(())
    };
    let native_first = times(1, &mut native)?;
    let native_warm = times(CALLS, &mut native)?;
    report.millis(what("first call"), median_and_p99(first).0)?;
    report.millis(what("first call of the core without a sandbox"), median_and_p99(native_first).0)?;
    let (median, p99) = median_and_p99(warm);
    report.micros(what("warm call"), median)?;
    report.micros(what("warm call, p99"), p99)?;
    report.micros(what("warm call of the core without a sandbox"), median_and_p99(native_warm).0)?;
    if let Some(python) = std::env::var_os("AZURE_IDENTITY_PYTHON") {
        let script = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/bench/azure_identity.py"));
        let output =
            Command::new(python).arg(script).arg(world.home.cache()).arg(&world.username).arg(SCOPE).output()?;
        let times = String::from_utf8(output.stdout)?;
        let mut times = times.split_whitespace().map(str::parse::<f64>);
        let (Some(first), Some(warm)) = (times.next(), times.next()) else {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        };
        report.millis(what("first call of azure-identity"), Duration::from_secs_f64(first?))?;
        report.micros(what("warm call of azure-identity"), Duration::from_secs_f64(warm?))?;
    }
    Ok(())
}

/// Does some work again and again, for a program that counts instructions.
pub(crate) fn repeat(work: &str, times: usize) -> Outcome {
    let world = World::new(if work == "warm" { 1 } else { 1_000 })?;
    world.call()?;
    for _ in 0..times {
        match work {
            "warm" => world.call()?,
            "first" => world.first_call()?,
            _ => return Err(format!("there is no work {work:?}").into()),
        }
    }
    Ok(())
}

fn times(count: usize, mut call: impl FnMut() -> Outcome) -> Outcome<Vec<Duration>> {
    let time = |_| {
        let started = Instant::now();
        call()?;
        Ok(started.elapsed())
    };
    (0..count).map(time).collect()
}
