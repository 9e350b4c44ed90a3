//! Runs one example step by step, and prints each command as a user types it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use shared_token_cache_interop::process::{Running, output, start};
use shared_token_cache_interop::{root, say};

use crate::client::get;
use crate::leg::Leg;
use crate::programs::{self, Programs};
use crate::upstream::Upstream;
use crate::wait::until;

const LIMIT: Duration = Duration::from_secs(60);

/// The listener's and the upstream's address in the example.
const LISTENER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 10000);
const UPSTREAM: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 10001);

/// The examples' policy.
const POLICY: &str = "examples/envoy/policy.toml";

/// The number of a token's characters that are shown.
const SHOWN: usize = 12;

pub(crate) fn run(programs: &Programs, leg: Leg) -> Result<()> {
    let folder = Folder::make()?;
    let home = folder.0.join("home");
    say("\nA made-up sign-in, in a home folder of its own:");
    output(&mut step(&programs::agent()?, &["demo", "--home", &text(&home)], &home), LIMIT)?;

    say(&format!("\nA server at {UPSTREAM} takes the place of the API. It returns each request."));
    let upstream = Upstream::at(UPSTREAM).context("the upstream of the example can't be started")?;

    let mut agent = None;
    if leg.has_agent() {
        say("\nThe agent:");
        let to = match leg {
            Leg::Sds => ["--sds", "unix:target/envoy/sds.sock"],
            Leg::FileSds | Leg::DynamicModule => ["--token-file", "entra/vault=target/envoy/vault.token"],
        };
        let arguments = [&["serve", "--policy", POLICY][..], &to].concat();
        agent = Some(start(&mut step(&programs::agent()?, &arguments, &home), &folder.0.join("agent.log"))?);
    }

    say("\nEnvoy:");
    let arguments = ["-c", leg.example(), "--concurrency", "1", "--use-dynamic-base-id"];
    let mut envoy = start(&mut step(&programs.envoy, &arguments, &home), &folder.0.join("envoy.log"))?;

    say("\nA request, with a token of the client's own:");
    say(&format!("  $ curl -H 'Authorization: Bearer mine' http://{LISTENER}/secrets"));
    let answer = until(LIMIT, "a request passes", || {
        for process in agent.iter_mut().chain([&mut envoy]) {
            is_running(process, &folder.0)?;
        }
        let answer = get(LISTENER, "/secrets", &[("authorization", "Bearer mine")]);
        Ok(answer.ok().filter(|answer| answer.status == 200))
    })?;
    let seen = upstream.requests().pop().context("no request arrived")?;
    ensure!(seen.authorization == [answer.body], "the upstream saw something else");
    for value in seen.authorization {
        let token = value.trim_start_matches("Bearer ");
        let shown: String = token.chars().take(SHOWN).collect();
        say(&format!(
            "  {} OK; the API got: Authorization: Bearer {shown}… ({} characters)",
            answer.status,
            token.len()
        ));
    }
    say("\nAll is stopped again.");
    Ok(())
}

/// The folder of the examples' socket and token. It is removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let path = root().join("target/envoy");
        ensure!(!path.exists(), "{} is there already: stop what uses it, and remove it", path.display());
        say("A folder that no other user can look into:\n  $ mkdir -m 700 -p target/envoy");
        fs::create_dir_all(&path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
        }
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program with the arguments of a user in the repository's root; prints that command line.
fn step(program: &Path, arguments: &[&str], home: &Path) -> Command {
    let program_text = program.strip_prefix(root()).unwrap_or(program).display().to_string();
    say(&format!("  $ HOME={} {program_text} {}", text(home), arguments.join(" ")));
    let mut command = Command::new(program);
    command.args(arguments).env("HOME", home).current_dir(root());
    command
}

/// A path relative to the repository's root.
fn text(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn is_running(process: &mut Running, folder: &Path) -> Result<()> {
    let Some(status) = process.0.try_wait()? else { return Ok(()) };
    let mut said = String::new();
    for log in ["agent.log", "envoy.log"] {
        said.push_str(&fs::read_to_string(folder.join(log)).unwrap_or_default());
    }
    bail!("a program ended ({status}):\n{said}")
}
