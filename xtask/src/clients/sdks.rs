//! The Azure SDKs: each credential that can get a token from `run`, from the agent or from the links of `shim install`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::world::{STORAGE, VAULT, World};
use super::{Checks, Report, has, same};
use crate::python;
use crate::run::{cargo, output, root, say};

const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// azure-identity for Python.
pub(super) fn python() -> Result<Checks> {
    let python = python::with_azure_identity()?;
    let words = vec![python.into_os_string(), folder().join("credential.py").into_os_string()];
    Ok(checks(words, &["managed", "default"]))
}

/// @azure/identity for Node.js.
pub(super) fn javascript() -> Result<Checks> {
    output(Command::new("node").arg("--version")).context("there is no Node.js")?;
    let target = node_modules("node")?;
    let script = target.join("credential.mjs");
    fs::copy(folder().join("node/credential.mjs"), &script)?;
    Ok(checks(vec!["node".into(), script.into_os_string()], &["managed", "default"]))
}

/// A folder below `target/clients` with the packages that `tests/clients/NAME` pins.
pub(super) fn node_modules(name: &str) -> Result<PathBuf> {
    let (source, target) = (folder().join(name), root().join("target/clients").join(name));
    let lock = fs::read(source.join("package-lock.json"))?;
    let installed = target.join("installed.json");
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(target);
    }
    say(&format!("installing the packages of tests/clients/{name} into target/clients/{name}"));
    fs::create_dir_all(&target)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(source.join(file), target.join(file))?;
    }
    let install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
    output(Command::new(NPM).args(install).current_dir(&target)).context("npm can't install them")?;
    fs::write(installed, &lock)?;
    Ok(target)
}

/// azure_identity for Rust, which has no default credential.
pub(super) fn rust() -> Result<Checks> {
    let (manifest, target) = (folder().join("rust/Cargo.toml"), root().join("target/clients/rust"));
    output(cargo().args(["fetch", "--locked", "--manifest-path"]).arg(&manifest)).context("its crates can't be had")?;
    say("building azure_identity into target/clients/rust (the first time takes some minutes)");
    let build = ["build", "--quiet", "--locked", "--manifest-path"];
    output(cargo().env("CARGO_TARGET_DIR", &target).env("CARGO_PROFILE_DEV_DEBUG", "0").args(build).arg(&manifest))?;
    let program = format!("debug/shared-token-cache-clients{}", std::env::consts::EXE_SUFFIX);
    Ok(checks(vec![target.join(program).into_os_string()], &["managed"]))
}

fn folder() -> PathBuf {
    root().join("tests/clients")
}

/// The checks of an SDK: `words` is a program that takes a credential and a scope, and `identities` its credentials for a managed
/// identity.
fn checks(words: Vec<OsString>, identities: &'static [&'static str]) -> Checks {
    Box::new(move |report| {
        let sdk = Sdk { world: World::new()?, words: words.clone() };
        sdk.install_links()?;
        for name in identities {
            report.add(&format!("{name}: a token from `run`"), sdk.by_run(name));
            report.add(&format!("{name}: a scope of another profile is refused"), sdk.refused_by_run(name));
        }
        for name in ["az", "azd"] {
            report.add(&format!("{name}: a token by the link, from the cache"), sdk.by_link(name));
            report.add(&format!("{name}: the link says that there is no sign-in"), sdk.signed_out(name));
        }
        sdk.with_agent(report)
    })
}

struct Sdk {
    world: World,
    words: Vec<OsString>,
}

impl Sdk {
    fn install_links(&self) -> Result<()> {
        let mut command = self.world.program();
        output(command.args(["shim", "install", "--dir"]).arg(self.world.path("bin"))).map(drop)
    }

    fn by_run(&self, credential: &str) -> Result<()> {
        self.is_token(&self.run(credential, VAULT)?, VAULT)
    }

    fn refused_by_run(&self, credential: &str) -> Result<()> {
        // The JavaScript SDK does not print the status.
        let part = "no profile of this client has the scope https://storage.azure.com/.default";
        has(&self.run(credential, STORAGE)?.to_string(), &[part])
    }

    fn by_link(&self, credential: &str) -> Result<()> {
        self.is_token(&answer(self.linked().args(&self.words).args([credential, VAULT]))?, VAULT)
    }

    /// The text by which a chain of credentials goes on to the next one.
    fn signed_out(&self, credential: &str) -> Result<()> {
        let empty = self.world.path("empty");
        fs::create_dir_all(&empty)?;
        let answer = answer(self.linked().args(&self.words).args([credential, VAULT]).env("HOME", empty))?;
        let error = answer.get("error").and_then(Value::as_str).with_context(|| answer.to_string())?.to_lowercase();
        let phrases = ["az login", "azd auth login", "not logged in"];
        if !phrases.iter().any(|phrase| error.contains(phrase)) {
            bail!("{error:?} does not say how to sign in");
        }
        Ok(())
    }

    /// By the links, where there is no sign-in but an agent's client.
    fn with_agent(&self, report: &mut Report) -> Result<()> {
        let agent = self.world.serve("vault", &["--http", "127.0.0.1:0"])?;
        let empty = self.world.path("empty");
        let ask = |credential: &str, scope: &str| {
            let mut command = self.linked();
            answer(command.args(&self.words).args([credential, scope]).envs(&agent.variables).env("HOME", &empty))
        };
        report.add("managed: a token from the agent", ask("managed", VAULT).and_then(|it| self.is_token(&it, VAULT)));
        for name in ["az", "azd"] {
            let token = ask(name, VAULT).and_then(|answer| self.is_token(&answer, VAULT));
            report.add(&format!("{name}: a token by the link, from the agent"), token);
            let refused =
                ask(name, STORAGE).and_then(|answer| has(&answer.to_string(), &["no profile of this client"]));
            report.add(&format!("{name}: the agent refuses a scope of another profile"), refused);
        }
        fs::remove_file(self.world.path("home/keys/app.key"))?;
        let revoked = ask("managed", VAULT).and_then(|answer| has(&answer.to_string(), &["the key was revoked"]));
        report.add("managed: a revoked key is refused", revoked);
        Ok(())
    }

    /// The program as the command of `run`, with one profile.
    fn run(&self, credential: &str, scope: &str) -> Result<Value> {
        let mut command = self.world.program();
        command.arg("run").arg("--policy").arg(self.world.path("home/policy.toml")).args(["--profile", "vault", "--"]);
        answer(command.args(&self.words).args([credential, scope]))
    }

    /// A command in whose PATH the links come first. `env` finds the program there.
    fn linked(&self) -> Command {
        let mut command = self.world.command(Path::new("env"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.world.path("bin")).chain(std::env::split_paths(&path));
        command.envs(std::env::join_paths(folders).map(|path| ("PATH", path)));
        command
    }

    fn is_token(&self, answer: &Value, scope: &str) -> Result<()> {
        let token = answer.get("token").and_then(Value::as_str).with_context(|| answer.to_string())?;
        same("the token", token, &self.world.access_token(scope))?;
        // Between the cache and the SDK, seconds until the expiry are counted, and rounded.
        let expires_on = answer.get("expires_on").and_then(Value::as_u64).unwrap_or_default();
        if expires_on.abs_diff(self.world.expires_on()) > 30 {
            bail!("the token expires at {expires_on}, and {} was expected", self.world.expires_on());
        }
        Ok(())
    }
}

/// The JSON object that a program prints.
fn answer(command: &mut Command) -> Result<Value> {
    let text = output(command)?;
    serde_json::from_str(&text).with_context(|| format!("{text:?} is no JSON"))
}
