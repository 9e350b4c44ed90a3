//! The first call, which reads the cache, and a warm one.

use std::hint::black_box;
use std::path::Path;
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
    let first = median_and_p99(first).0;
    report.millis(what("first call"), first)?;
    report.millis(what("first call of the core without a sandbox"), median_and_p99(native_first).0)?;
    let (median, p99) = median_and_p99(warm);
    report.micros(what("warm call"), median)?;
    report.micros(what("warm call, p99"), p99)?;
    report.micros(what("warm call of the core without a sandbox"), median_and_p99(native_warm).0)?;
    report.point("first call", accounts, first)?;
    report.point("warm call", accounts, median)?;
    for (name, variable, script) in [
        ("azure-identity", "AZURE_IDENTITY_PYTHON", "azure_identity.py"),
        ("@azure/identity", "AZURE_IDENTITY_NODE", "azure_identity.mjs"),
    ] {
        let Some(peer) = std::env::var_os(variable) else { continue };
        let (version, first, warm) = peer_times(Path::new(&peer), script, &world)?;
        report.peer(&version);
        report.millis(what(&format!("first call of {name}")), first)?;
        report.micros(what(&format!("warm call of {name}")), warm)?;
        report.point(&format!("first call of {name}"), accounts, first)?;
        report.point(&format!("warm call of {name}"), accounts, warm)?;
    }
    Ok(())
}

/// The version of a peer, and the times of its first and of a warm call: what its script prints. A
/// folder is one of Node's packages.
fn peer_times(peer: &Path, script: &str, world: &World) -> Outcome<(String, Duration, Duration)> {
    let mut command = Command::new(if peer.is_dir() { Path::new("node") } else { peer });
    if peer.is_dir() {
        command.current_dir(peer);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bench").join(script);
    let output = command.arg(script).arg(world.home.cache()).arg(&world.username).arg(SCOPE).output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut lines = text.lines();
    let mut times = lines.next().unwrap_or_default().split_whitespace().map(str::parse::<f64>);
    let (Some(first), Some(warm), Some(version)) = (times.next(), times.next(), lines.next()) else {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    };
    Ok((version.to_owned(), Duration::from_secs_f64(first?), Duration::from_secs_f64(warm?)))
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
