//! The command: one token, and an agent with many profiles on one cache.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use shared_token_cache_tests::cli::{ANYTHING, program};
use shared_token_cache_tests::home::AUTHORITY;
use tempfile::TempDir;

use crate::Outcome;
use crate::caches::{SCOPE, scope, with_access_tokens};
use crate::report::{Report, median_and_p99};

const RUNS: usize = 50;

/// With so many accounts the cache has 5.6 MB.
const ACCOUNTS: usize = 1_400;
const SOON: Duration = Duration::from_secs(120);
const IDLE: Duration = Duration::from_secs(10);

/// The program to measure, instead of the one of this build.
const PROGRAM: &str = "BENCH_PROGRAM";

/// From the start of a process to its token.
pub(crate) fn start(accounts: usize, report: &mut Report) -> Outcome {
    let (folder, policy) = folder(accounts, 1)?;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        let output = get_token(command(&folder)?, &folder, &policy)?;
        times.push(started.elapsed());
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
    }
    let what = |what: &str| format!("{what}, {accounts} accounts");
    let median = median_and_p99(times).0;
    report.millis(what("from the start of the process to a token"), median)?;
    report.point("from the start of the process", accounts, median)?;
    if let Some(kilobytes) = peak(&folder, &policy)? {
        report.add(what("peak of the memory of that process"), kilobytes / 1e3, "MB")?;
        let size = Duration::from_micros(fs::metadata(folder.path().join("cache"))?.len());
        report.add(what("size of that cache"), size.as_secs_f64(), "MB")?;
    }
    Ok(())
}

fn get_token(mut command: Command, folder: &TempDir, policy: &Path) -> Outcome<Output> {
    command.args(["get-token", "--source", &source(folder), "--policy"]).arg(policy);
    Ok(command.args(["--scope", SCOPE, "--username", "user0@contoso.com"]).output()?)
}

/// By GNU time, where it is installed.
fn peak(folder: &TempDir, policy: &Path) -> Outcome<Option<f64>> {
    let time = Path::new("/usr/bin/time");
    if !time.exists() {
        return Ok(None);
    }
    let mut command = Command::new(time);
    command.args(["-f", "%M"]).arg(measured()?).env("HOME", folder.path());
    let output = get_token(command, folder, policy)?;
    let said = String::from_utf8(output.stderr)?;
    Ok(said.lines().last().and_then(|kilobytes| kilobytes.parse().ok()))
}

/// An agent with so many profiles of one cache, each for an account and a scope of its own.
pub(crate) fn serve(profiles: usize, report: &mut Report) -> Outcome {
    let (folder, policy) = folder(ACCOUNTS, profiles)?;
    let log = folder.path().join("log");
    let mut agent = Agent(
        command(&folder)?
            .args(["serve", "--policy"])
            .arg(&policy)
            .arg("--sds")
            .arg(format!("unix:{}", folder.path().join("socket").display()))
            .stderr(fs::File::create(&log)?)
            .stdout(Stdio::null())
            .spawn()?,
    );
    let started = Instant::now();
    while fs::read_to_string(&log)?.matches("a token that expires in").count() < profiles {
        if started.elapsed() > SOON || agent.0.try_wait()?.is_some() {
            return Err(fs::read_to_string(&log)?.into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let all = started.elapsed();
    let (resident, busy) = (agent.resident()?, agent.busy()?);
    std::thread::sleep(IDLE);
    let what = |what: &str| format!("serve, {profiles} profiles of one cache of 5.6 MB: {what}");
    report.millis(what("until all have a token"), all)?;
    report.millis(what("processor time until then"), busy)?;
    report.add(what("peak of the memory"), agent.status("VmHWM:")?, "MB")?;
    report.add(what("resident then"), resident, "MB")?;
    report.add(what("resident when idle"), agent.resident()?, "MB")?;
    let idle = (agent.busy()? - busy).as_secs_f64() / IDLE.as_secs_f64();
    report.add(what("idle, of one core"), idle * 100.0, "%")
}

struct Agent(Child);

impl Agent {
    fn resident(&self) -> Outcome<f64> {
        self.status("VmRSS:")
    }

    fn status(&self, name: &str) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let kilobytes =
            status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
        Ok(kilobytes.unwrap_or(0.0) / 1e3)
    }

    /// The processor time of its threads that have it noted in nanoseconds; those that have ended count for nothing.
    fn busy(&self) -> Outcome<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace()).ok_or("no such process")?;
        // Of user and system, in hundredths of a second.
        let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 10))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A folder with a cache and a policy that has so many profiles of it.
fn folder(accounts: usize, profiles: usize) -> Outcome<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("cache");
    fs::write(&cache, with_access_tokens(accounts, 1))?;
    let file = format!("file:{}", cache.display());
    let mut text = format!("authorities = [\"{AUTHORITY}\"]\n{ANYTHING}");
    write!(text, "[[caches]]\nsource = \"{file}\"\naccess = \"read-write\"\n")?;
    for number in 0..profiles {
        let (account, scope) = (format!("user{number}@contoso.com"), scope(0));
        write!(
            text,
            "[[profiles]]\nname = \"p{number}\"\nsource = \"{file}\"\naccount = \"{account}\"\nscopes = [\"{scope}\"]\n"
        )?;
    }
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&cache, fs::Permissions::from_mode(0o600))?;
    }
    std::thread::sleep(Duration::from_millis(20));
    Ok((folder, policy))
}

fn source(folder: &TempDir) -> String {
    format!("file:{}", folder.path().join("cache").display())
}

fn command(folder: &TempDir) -> Outcome<Command> {
    let mut command = Command::new(measured()?);
    command.env_clear().env("HOME", folder.path()).env("SHARED_TOKEN_CACHE_LOG", "info");
    Ok(command)
}

fn measured() -> Outcome<PathBuf> {
    match std::env::var_os(PROGRAM) {
        Some(program) => Ok(program.into()),
        None => Ok(program()?),
    }
}
