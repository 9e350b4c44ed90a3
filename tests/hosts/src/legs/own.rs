//! This project's own host, as its users run it: the command. The other hosts are compared with it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use shared_token_cache_interop::authority::Scheme;
use shared_token_cache_interop::process::{output, run};
use shared_token_cache_interop::root;
use shared_token_cache_interop::sign_in::{self, Home};
use token_endpoint::sign_in::PUBLIC;

use super::{Host, Leg};
use crate::outcome::{Failure, Outcome};
use crate::scenario::Scenario;
use crate::scene::{Components, Operation, Scene};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Own;

struct Built(PathBuf);

impl Leg for Own {
    fn name(&self) -> &'static str {
        "own"
    }

    fn authority(&self) -> Scheme {
        Scheme::Https
    }

    fn cannot(&self, scenario: Scenario) -> Option<&'static str> {
        match scenario {
            Scenario::NoFolder => Some("the policy grants caches by name, and no folder"),
            Scenario::NoHome => Some("without a home folder there is no place to look at"),
            _ => None,
        }
    }

    fn install(&self, _: &Components) -> Result<Box<dyn Host>> {
        let program = format!("shared-token-cache{}", std::env::consts::EXE_SUFFIX);
        let program = root().join("target/release").join(program);
        if !program.is_file() {
            bail!("the program is not built (`cargo xtask build`)");
        }
        Ok(Box::new(Built(program)))
    }
}

impl Host for Built {
    fn version(&self) -> String {
        let version = output(Command::new(&self.0).arg("--version"), LIMIT);
        version.map_or_else(|why| format!("{why:#}"), |version| version.trim().to_owned())
    }

    fn extras(&mut self, _: &Components) -> Vec<(&'static str, Result<()>)> {
        vec![("examples/rust", example())]
    }

    fn call(&mut self, scene: &Scene) -> Result<Outcome> {
        let mut command = Command::new(&self.0);
        command.env_clear().env("HOME", &scene.home);
        if scene.operation == Operation::Supported {
            let supported = output(command.arg("supported"), LIMIT)?.trim() == "true";
            return Ok(Outcome::Supported { supported });
        }
        let policy = policy(scene)?;
        command.args(["get-token", "--source", "shared", "--output", "json", "--authority", &scene.authority]);
        command.arg("--policy").arg(policy.path());
        if let Some(ca) = &scene.ca {
            command.arg("--ca-file").arg(ca);
        }
        for scope in &scene.scopes {
            command.args(["--scope", scope]);
        }
        let finished = run(&mut command, "", LIMIT)?;
        if finished.status.success() {
            let token: Value = serde_json::from_str(&finished.stdout).context("no JSON on stdout")?;
            let text = token.get("token").and_then(Value::as_str).context("no token")?.to_owned();
            let expires_on = token.get("expires_on").and_then(Value::as_u64).context("no expiry")?;
            return Ok(Outcome::Token { token: text, expires_on });
        }
        let line = finished.stderr.lines().last().context("no error on stderr")?;
        let error: Value = serde_json::from_str(line).with_context(|| format!("no JSON on stderr: {line}"))?;
        failure(error.get("error").context("no error")?).map(|error| Outcome::Error { error })
    }
}

/// The example on a home with a cached token, and on one without a sign-in.
fn example() -> Result<()> {
    let program = format!("embed{}", std::env::consts::EXE_SUFFIX);
    let program = root().join("target/release/examples").join(program);
    for (cache, is_token) in [(Some(sign_in::cached_by(PUBLIC)), true), (None, false)] {
        let home = Home::with(cache.as_deref())?;
        let finished = run(Command::new(&program).env_clear().env("HOME", home.path()), "", LIMIT)?;
        let says = finished.stdout.contains("a token that serves until 4102444800");
        ensure!(finished.status.success() == is_token && says == is_token, "{}{}", finished.stdout, finished.stderr);
    }
    Ok(())
}

/// A policy that grants the scene's cache, and its authority where the network is granted.
fn policy(scene: &Scene) -> Result<tempfile::NamedTempFile> {
    let authorities = if scene.granted.network { format!("[{:?}]", scene.authority) } else { "[]".to_owned() };
    let file = tempfile::NamedTempFile::new()?;
    let text = format!(
        "authorities = {authorities}\nscopes = [\"*\"]\ntenants = [\"*\"]\naccounts = [\"*\"]\nclient-ids = [\"*\"]\n\
         network.addresses = [\"loopback\"]\n\
         [[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read-write\"\n"
    );
    fs::write(file.path(), text)?;
    Ok(file)
}

fn failure(error: &Value) -> Result<Failure> {
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    let candidates = error.get("candidates").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let username = |account: &Value| account.get("username").and_then(Value::as_str).map(str::to_owned);
    Ok(Failure {
        kind: text("kind").context("an error of no kind")?,
        reason: text("reason"),
        message: text("message").context("an error without text")?,
        candidates: candidates.iter().filter_map(username).collect(),
    })
}
