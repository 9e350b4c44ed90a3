//! Real azure-identity for Python, unchanged, as a client of `run` and of `serve --http`.
//!
//! `AZURE_IDENTITY_PYTHON` names a Python that has it; `cargo xtask test` sets it. Neither side
//! uses the network.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, ExitCode};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{ANYTHING, Cli, SHARED, program};
use shared_token_cache_tests::peers::{self, Check, Python, at, has, same};
use shared_token_cache_tests::sign_in::{GRAPH, LOCAL, SignIn, VAULT, access_token, document, username};

const CHECKS: [Check<Peers>; 6] = [
    ("a_managed_identity_credential_gets_the_token", a_managed_identity_credential_gets_the_token),
    ("a_default_azure_credential_gets_the_token", a_default_azure_credential_gets_the_token),
    ("a_client_id_selects_a_profile", a_client_id_selects_a_profile),
    ("a_scope_of_no_profile_is_refused_at_once", a_scope_of_no_profile_is_refused_at_once),
    ("a_revoked_key_is_refused_at_once", a_revoked_key_is_refused_at_once),
    ("tls_with_an_own_certificate_is_spoken", tls_with_an_own_certificate_is_spoken),
];

fn main() -> ExitCode {
    let python = Python::named_by("AZURE_IDENTITY_PYTHON", "managed.py");
    let encrypted = "on Windows the caches are encrypted, which is not tested";
    let python = if cfg!(unix) { python } else { Err(encrypted.to_owned()) };
    peers::run(&CHECKS, python, Peers::new)
}

fn a_managed_identity_credential_gets_the_token(peers: &Peers) -> io::Result<()> {
    let answer = peers.run(&["managed", "--scope", VAULT])?;
    same("token", at(&answer, "/token"), &json!(access_token(0, VAULT)))?;
    same("connections", at(&answer, "/connected"), &json!(["127.0.0.1"]))?;
    let cached = peers.cli.read_json(SHARED)?;
    let entries = cached.get("AccessToken").and_then(Value::as_object).into_iter().flatten();
    let expiries: Vec<_> =
        entries.filter_map(|(_, entry)| entry.get("expires_on")?.as_str()?.parse::<u64>().ok()).collect();
    let expires_on = at(&answer, "/expires_on").as_u64().unwrap_or_default();
    let is_near = expiries.iter().any(|expiry| expiry.abs_diff(expires_on) < 60);
    same(&format!("{expires_on} is one of {expiries:?}"), &is_near, &true)
}

/// With variables that are common in containers: those of a proxy, and the id of another
/// application.
fn a_default_azure_credential_gets_the_token(peers: &Peers) -> io::Result<()> {
    let mut cli = peers.signed_in()?;
    cli.set("AZURE_CLIENT_ID", "11111111-1111-1111-1111-111111111111");
    cli.set("HTTP_PROXY", "http://127.0.0.2:9");
    cli.set("http_proxy", "http://127.0.0.2:9");
    let answer = Peers { python: peers.python.clone(), cli }.run(&["default", "--scope", VAULT])?;
    same("token", at(&answer, "/token"), &json!(access_token(0, VAULT)))?;
    same("connections", at(&answer, "/connected"), &json!(["127.0.0.1"]))
}

fn a_client_id_selects_a_profile(peers: &Peers) -> io::Result<()> {
    for credential in ["managed", "default"] {
        let answer = peers.run(&[credential, "--scope", GRAPH, "--client-id", "other"])?;
        same("token", at(&answer, "/token"), &json!(access_token(1, GRAPH)))?;
    }
    let answer = peers.run(&["managed", "--scope", GRAPH])?;
    has(at(&answer, "/message").as_str().unwrap_or_default(), &["graph, other all fit", "client_id"])
}

fn a_scope_of_no_profile_is_refused_at_once(peers: &Peers) -> io::Result<()> {
    // A chain continues after the first kind of error, and reports the second one at its end.
    for (credential, error) in [("managed", "CredentialUnavailableError"), ("default", "ClientAuthenticationError")] {
        let answer = peers.run(&[credential, "--scope", "https://storage.azure.com/.default"])?;
        same("error", at(&answer, "/error"), &json!(error))?;
        let message = at(&answer, "/message").as_str().unwrap_or_default();
        has(message, &["403", "no profile of this client has the scope https://storage.azure.com/.default"])?;
        same("connections", at(&answer, "/connected"), &json!(["127.0.0.1"]))?;
        let seconds = at(&answer, "/seconds").as_f64().unwrap_or(f64::MAX);
        same(&format!("{seconds} s are few"), &(seconds < 3.0), &true)?;
    }
    Ok(())
}

fn a_revoked_key_is_refused_at_once(peers: &Peers) -> io::Result<()> {
    let agent = Agent::start(peers, "http", &[])?;
    let answer = agent.ask(peers, &[])?;
    same("token", at(&answer, "/token"), &json!(access_token(0, VAULT)))?;
    fs::remove_file(peers.cli.home().join("keys/app.key"))?;
    let answer = agent.ask(peers, &[])?;
    has(at(&answer, "/message").as_str().unwrap_or_default(), &["401", "the key was revoked"])?;
    let seconds = at(&answer, "/seconds").as_f64().unwrap_or(f64::MAX);
    same(&format!("{seconds} s are few"), &(seconds < 3.0), &true)
}

fn tls_with_an_own_certificate_is_spoken(peers: &Peers) -> io::Result<()> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let certificate = peers.cli.write("c.pem", &made.cert.pem())?;
    let key = peers.cli.write("k.pem", &made.signing_key.serialize_pem())?;
    let agent = Agent::start(peers, "https", &["--http-tls-cert", &certificate, "--http-tls-key", &key])?;
    let pinned = agent.variables.iter().find_map(|(name, value)| (name == "AZD_AUTH_CERT").then_some(value.len()));
    same("the certificate is printed", &pinned.is_some_and(|length| length > 100), &true)?;
    let answer = agent.ask(peers, &[("REQUESTS_CA_BUNDLE", &certificate)])?;
    same("token", at(&answer, "/token"), &json!(access_token(0, VAULT)))?;
    // Without the certificate Python refuses the endpoint, and sends no key.
    let refused = agent.ask(peers, &[]);
    same("it is refused", &refused.is_err(), &true)
}

/// Python with azure-identity, and a home folder with two users.
struct Peers {
    python: Python,
    cli: Cli,
}

impl Peers {
    fn new(python: Python) -> io::Result<Self> {
        let mut peers = Self { python, cli: Cli::new()? };
        peers.cli = peers.signed_in()?;
        Ok(peers)
    }

    fn signed_in(&self) -> io::Result<Cli> {
        let users =
            [SignIn::new(0, LOCAL).access_token(VAULT).access_token(GRAPH), SignIn::new(1, LOCAL).access_token(GRAPH)];
        let mut cli = Cli::with_shared(&document(&users))?;
        cli.set("AZURE_AUTHORITY_HOST", LOCAL);
        let profile = |name: &str, scope: &str, user: u32| {
            let account = username(user);
            format!(
                "[[profiles]]\nname = \"{name}\"\nsource = \"shared\"\naccount = \"{account}\"\nscopes = [\"{scope}\"]\n"
            )
        };
        let cache = "[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read-write\"\n";
        let profiles = [profile("vault", VAULT, 0), profile("graph", GRAPH, 0), profile("other", GRAPH, 1)].concat();
        cli.write("policy.toml", &format!("authorities = [\"{LOCAL}\"]\n{ANYTHING}{cache}{profiles}"))?;
        Ok(cli)
    }

    /// The script as the command of `run`.
    fn run(&self, arguments: &[&str]) -> io::Result<Value> {
        let words = self.python.words();
        let mut all = vec!["run", "--policy", "policy.toml", "--", &words[0], &words[1]];
        all.extend(arguments);
        let run = self.cli.run(&all)?;
        serde_json::from_str(&run.stdout).map_err(|_| io::Error::other(format!("{run:?}")))
    }
}

/// An agent with one client.
struct Agent {
    process: Child,
    variables: Vec<(String, String)>,
}

impl Agent {
    fn start(peers: &Peers, scheme: &str, more: &[&str]) -> io::Result<Self> {
        let home = peers.cli.home();
        let mut command = peers.cli.command(&program()?);
        command.args(["serve", "--policy", "policy.toml", "--http", "127.0.0.1:0", "--http-client", "app=vault"]);
        command.args(["--http-keys", "keys", "--print-env", "docker"]).args(more);
        command.stdout(fs::File::create(home.join("app.env"))?).stderr(fs::File::create(home.join("agent.log"))?);
        let mut agent = Self { process: command.spawn()?, variables: Vec::new() };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !fs::read_to_string(home.join("agent.log"))?.contains("the client app may have") {
            if Instant::now() > deadline {
                return Err(io::Error::other(fs::read_to_string(home.join("agent.log"))?));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let printed = fs::read_to_string(home.join("app.env"))?;
        has(&printed, &[&format!("IDENTITY_ENDPOINT={scheme}://127.0.0.1:")])?;
        let pairs = printed.lines().filter_map(|line| line.split_once('='));
        agent.variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(agent)
    }

    /// The script with the variables of the agent's client, and these.
    fn ask(&self, peers: &Peers, more: &[(&str, &str)]) -> io::Result<Value> {
        let words = peers.python.words();
        let mut command = peers.cli.command(Path::new(&words[0]));
        command.arg(&words[1]).args(["managed", "--scope", VAULT]);
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).envs(more.iter().copied());
        let output = command.output()?;
        serde_json::from_slice(&output.stdout)
            .map_err(|_| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
