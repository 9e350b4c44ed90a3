//! `cargo xtask try broker`: a Python program in a sandbox without home and network reads a blob with a token of the broker.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::sandbox::{Sandbox, Tool};
use super::world::{Agent, Running, STORAGE, USER, VAULT, World};
use super::{Checks, show};
use crate::python;
use crate::run::{output, root};

/// Where the example's programs are in the sandbox.
const APP: &str = "/app";
/// The storage account, at the sandbox's loopback.
const ACCOUNT: &str = "contoso.blob.core.windows.net";
const STORAGE_PORT: u16 = 10443;
const BROKER_PORT: u16 = 4180;
const BLOB: &str = "/data/hello.txt";

/// What the sandbox must not see, below the home of the host.
const ABSENT: [&str; 4] = [".azure/msal_token_cache.json", ".IdentityService", "policy.toml", "keys/app.key"];

/// Runs the example, and prints what happens. It is an error if one of its promises does not hold.
pub(crate) fn run() -> Result<()> {
    let python = python::with_azure_storage()?;
    let tool = Tool::find()?;
    let world = World::new()?;
    let content = format!("The blob of {}.\n", world.refresh_token().replace("refresh-token-", "run "));
    show(&format!("on the host ({}):", world.path("home").display()));
    show(&format!("  {USER} is signed in, with a refresh token and access tokens for storage and for the vault"));
    control(&world)?;

    fs::create_dir_all(world.path("broker"))?;
    fs::create_dir_all(world.path("storage"))?;
    let storage = Storage::start(&world, &python, &content)?;
    let address = format!("unix:{}", world.path("broker/http.sock").display());
    let port = format!("127.0.0.1:{BROKER_PORT}");
    let agent = world.serve("storage", &["--http", &address, "--http-host", &port])?;
    show("  the broker listens on broker/http.sock, and its client `app` may have the profile storage");
    show("  the storage account listens on storage/blob.sock\n");

    let version = tool.version()?;
    let sandbox = sandbox(&world, &python, tool)?;
    show(&format!("in the sandbox ({version}): {APP}, Python and the two sockets"));
    let url = format!("https://{ACCOUNT}:{STORAGE_PORT}{BLOB}");
    let read = inside(&world, &sandbox, &agent, &python, &["read_blob.py", &url], "")?;
    check("the program reads the blob", read.succeeded && read.text == content)?;
    // Any service of the host.
    let service = TcpListener::bind("127.0.0.1:0")?;
    let there = ABSENT.iter().all(|name| world.path("home").join(name).exists());
    check("the host has the files and folders that the sandbox must not see", there)?;
    let settings = probe_settings(&world, service.local_addr()?.port());
    let probe = inside(&world, &sandbox, &agent, &python, &["probe.py"], &settings.to_string())?;

    show("\non the host, afterwards:");
    let log = storage.log()?;
    let was_read = log.lines().any(|line| line == format!("{BLOB} 206: the token"));
    check(
        "the storage account was asked with the user's token for storage, and with no other",
        was_read && !log.contains("another token"),
    )?;
    audited(&world)?;
    let said = read.text + &probe.text;
    let secrets =
        [world.refresh_token(), world.access_token(STORAGE), world.access_token(VAULT), agent.key()?.to_owned()];
    check("no token and no key is in what the sandbox printed", !secrets.iter().any(|secret| said.contains(secret)))?;
    if !probe.succeeded {
        bail!("the sandbox can do what it must not, see above");
    }
    show("\nThe program in the sandbox read its blob. Everything else that it tried was refused.");
    Ok(())
}

/// The same, as a leg of the suite.
pub(super) fn install() -> Result<Checks> {
    python::with_azure_storage()?;
    Tool::find()?;
    Ok(Box::new(|report| {
        let outcome = run();
        report.add("cargo xtask try broker", outcome);
        Ok(())
    }))
}

/// The host has what the sandbox is refused: otherwise a refusal would prove nothing.
fn control(world: &World) -> Result<()> {
    let mut command = world.program();
    command
        .args(["get-token", "--profile", "vault", "--output", "token", "--policy"])
        .arg(world.path("home/policy.toml"));
    check(
        "the host gets the vault's token, by the profile vault",
        output(&mut command)?.trim() == world.access_token(VAULT),
    )
}

fn probe_settings(world: &World, port: u16) -> Value {
    let home = world.path("home");
    let below = |name: &str| home.join(name).display().to_string();
    let own = std::env::var("HOME").unwrap_or_default();
    let absent: Vec<_> = ABSENT
        .iter()
        .map(|name| below(name))
        .chain([".azure", ".IdentityService"].map(|name| format!("{own}/{name}")))
        .collect();
    json!({
        "absent": absent, "port": port, "scope": VAULT,
        // The beginning of every refresh token of the user, and the token of another profile.
        "marks": ["refresh-token-", world.access_token(VAULT)],
    })
}

/// Programs, Python, the sockets, and the name of the storage account.
fn sandbox(world: &World, python: &Path, tool: Tool) -> Result<Sandbox> {
    let mut sandbox = Sandbox::new(tool);
    let base = output(Command::new(python).args(["-c", "import sys; print(sys.base_prefix)"]))?;
    sandbox.see(Path::new(base.trim()), base.trim());
    let environment = python.parent().and_then(Path::parent).context("the Python is in no virtual environment")?;
    sandbox.see(environment, environment);
    sandbox.see(&root().join("examples/sandbox"), APP);
    let hosts = world.write("hosts", &format!("127.0.0.1 localhost {ACCOUNT}\n"))?;
    sandbox.see(&hosts, "/etc/hosts");
    sandbox.see(&world.path("broker"), "/run/broker");
    sandbox.see(&world.path("storage"), "/run/storage");
    Ok(sandbox)
}

/// How a program in the sandbox ended.
struct Ended {
    succeeded: bool,
    text: String,
}

/// Runs one of the example's programs in the sandbox, with the two forwarders, and prints its output.
fn inside(
    world: &World,
    sandbox: &Sandbox,
    agent: &Agent,
    python: &Path,
    words: &[&str],
    input: &str,
) -> Result<Ended> {
    show(&format!("\n  $ python {}", words.join(" ")));
    let mut command = sandbox.command(world, python)?;
    command.arg(format!("{APP}/forward.py"));
    command.arg(format!("{BROKER_PORT}=/run/broker/http.sock")).arg(format!("{STORAGE_PORT}=/run/storage/blob.sock"));
    command.arg("--").arg(python);
    let (script, arguments) = words.split_first().context("no program")?;
    command.arg(format!("{APP}/{script}")).args(arguments);
    command.envs(&agent.variables).env("REQUESTS_CA_BUNDLE", "/run/storage/ca.pem").env("PYTHONDONTWRITEBYTECODE", "1");
    let mut process =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("the sandbox can't be started")?;
    if let Some(mut stdin) = process.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let stdout = process.stdout.take().context("the sandbox has no output")?;
    let mut process = Running(process);
    let mut text = String::new();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        show(&format!("  {line}"));
        writeln!(text, "{line}")?;
    }
    Ok(Ended { succeeded: process.0.wait()?.success(), text })
}

/// The agent has a line for each request: one token, of the profile storage, and refusals.
fn audited(world: &World) -> Result<()> {
    fn text<'a>(line: &'a Value, name: &str) -> &'a str {
        line.get(name).and_then(Value::as_str).unwrap_or("-")
    }
    let lines = world.audit()?;
    let requests: Vec<_> = lines.iter().filter(|line| text(line, "operation") == "http.app-service").collect();
    for line in &requests {
        let [client, profile, outcome, reason] =
            ["client", "profile", "outcome", "reason"].map(|name| text(line, name));
        show(&format!("  audit   client {client}, profile {profile}: {outcome}, {reason}"));
    }
    let served: Vec<_> = requests.iter().filter(|line| text(line, "outcome") == "served").collect();
    let only_storage = served.iter().all(|line| text(line, "profile") == "storage" && text(line, "client") == "app");
    check("the broker served the profile storage, and nothing else", !served.is_empty() && only_storage)?;
    check("the broker refused the other requests", requests.len() > served.len())
}

/// The storage account.
struct Storage {
    log: PathBuf,
    process: Running,
}

impl Storage {
    fn start(world: &World, python: &Path, content: &str) -> Result<Self> {
        let log = world.path("storage.log");
        let mut command = world.command(python);
        command.arg(root().join("examples/sandbox/storage.py"));
        command.arg(world.path("storage/blob.sock")).arg(world.path("storage/ca.pem"));
        let mut process = command.stdin(Stdio::piped()).stdout(File::create(&log)?).spawn()?;
        let settings =
            json!({ "host": ACCOUNT, "path": BLOB, "content": content, "token": world.access_token(STORAGE) });
        if let Some(mut stdin) = process.stdin.take() {
            stdin.write_all(settings.to_string().as_bytes())?;
        }
        let mut storage = Self { log, process: Running(process) };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !storage.log()?.contains("ready") {
            if storage.process.0.try_wait()?.is_some() || Instant::now() > deadline {
                bail!("the storage account does not listen: {}", storage.log()?);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(storage)
    }

    fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }
}

/// Prints a promise that holds; one that does not is an error.
fn check(promise: &str, holds: bool) -> Result<()> {
    if !holds {
        bail!("FAILED  {promise}: it does not hold");
    }
    show(&format!("  ok      {promise}"));
    Ok(())
}
