//! wasmCloud: the consumer of `examples/wasmcloud`, the credential and the adapter, three
//! components that the host links. `wash dev` runs them with the example's configuration, `wash
//! host` as a distributed engine with the example's workload.

mod dev;
mod engine;
mod registry;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use shared_token_cache_interop::authority::Authority;
use shared_token_cache_interop::http;
use shared_token_cache_interop::install;
use shared_token_cache_interop::process::{Running, output, start};
use shared_token_cache_interop::root;
use shared_token_cache_interop::sign_in::Home;
use token_endpoint::sign_in::{MARK, VAULT, username};

pub(crate) use dev::WashDev;
pub(crate) use engine::WashHost;

use crate::outcome::Outcome;
use crate::scene::{Components, Granted, Operation, Scene};

/// The time limit for a host's start, with three components to compile on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// The adapter's path of the home folder.
const HOME: &str = "/home/user";

/// The name of the cache's folder, on this machine and in the adapter.
const FOLDER: &str = ".IdentityService";

/// An installed `wash`.
struct Wash {
    program: PathBuf,
    python: PathBuf,
    version: String,
}

impl Wash {
    fn install() -> Result<Self> {
        let python = install::python("wasmcloud", &root().join("tests/hosts/wasmcloud/requirements.txt"))?;
        let program = install::program(&python, "wash_cli", "wash")?;
        let version = output(Command::new(&program).arg("--version"), LIMIT)?.trim().to_owned();
        Ok(Self { program, python, version })
    }

    /// `wash` with a home of its own, its place for settings and pulled components.
    fn command(&self, home: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).arg("--non-interactive");
        command
    }
}

/// The consumer's component.
fn consumer() -> Result<PathBuf> {
    let path = root().join("target/component/wasmcloud-consumer.wasm");
    ensure!(path.is_file(), "there is no {}; run `cargo xtask build examples` first", path.display());
    Ok(path)
}

/// A program beside the test, and the file that it prints to.
struct Logged {
    running: Running,
    log: PathBuf,
}

impl Logged {
    fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        Ok(Self { running: start(command, &log)?, log })
    }

    fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Polls until `ready` returns a value.
    fn until<T>(&mut self, ready: impl FnMut() -> Option<T>) -> Result<T> {
        let waited = self.running.until(LIMIT, ready);
        waited.map_err(|why| anyhow!("{why:#}; it printed: {}", self.log().trim()))
    }

    /// Ends the program, and checks that it printed no secret.
    fn end(self) -> Result<()> {
        let Self { running, log } = self;
        drop(running);
        ensure!(!std::fs::read_to_string(log)?.contains(MARK), "the log holds a secret");
        Ok(())
    }
}

/// The consumer, running.
struct Served<'a> {
    address: SocketAddr,
    /// The `Host` name under which clients ask.
    name: &'a str,
    /// The API's server.
    api: &'a Authority,
}

impl Served<'_> {
    /// The operation's outcome: the error that the client gets, or the token that the API got.
    fn ask(&self, operation: Operation) -> Result<Outcome> {
        let path = if operation == Operation::Supported { "/supported" } else { "/whoami" };
        let response = http::get(self.address, self.name, path)?;
        ensure!(!response.body.contains(MARK), "the client got a secret");
        let answer: Value = serde_json::from_str(&response.body).with_context(|| format!("no JSON: {response:?}"))?;
        match (response.status, operation) {
            (200, Operation::Supported) => Ok(serde_json::from_value(answer)?),
            (200, Operation::GetToken) => {
                ensure!(answer == json!({ "userPrincipalName": username(0) }), "not the API's answer: {answer}");
                self.sent()
            }
            (502 | 503, _) => {
                ensure!(self.api.requests().is_empty(), "the API was asked");
                Ok(serde_json::from_value(answer)?)
            }
            _ => bail!("an unexpected response: {response:?}"),
        }
    }

    fn sent(&self) -> Result<Outcome> {
        let requests = self.api.requests();
        let [request] = requests.as_slice() else { bail!("{} requests to the API", requests.len()) };
        ensure!(
            (request.method.as_str(), request.path.as_str(), &request.host) == ("GET", "/me", &self.api.name()),
            "the API was asked {} {} at {}",
            request.method,
            request.path,
            request.host
        );
        let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        Ok(Outcome::Sent { token: token.context("no bearer token")?.to_owned() })
    }
}

/// A scene with everything granted.
fn everything_granted(components: &Components, home: &Home, authority: &Authority) -> Scene {
    Scene {
        components: components.clone(),
        home: home.path().to_path_buf(),
        authority: authority.name(),
        ca: authority.ca(),
        granted: Granted::ALL,
        operation: Operation::GetToken,
        scopes: vec![VAULT.to_owned()],
    }
}

/// The consumer's and the adapter's allowed hosts. Where the network is not granted, the consumer
/// alone may send requests to the authority, which grants the adapter nothing.
fn allowed_hosts(scene: &Scene, api: &Authority) -> (Vec<String>, Vec<String>) {
    let (api, authority) = (format!("https://{}", api.name()), format!("https://{}", scene.authority));
    if scene.granted.network { (vec![api], vec![authority]) } else { (vec![api, authority], vec![]) }
}
