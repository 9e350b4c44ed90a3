//! `wash host`: the host of a distributed engine. It receives workloads over NATS, and pulls their
//! components from a registry.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Map, Value, json};
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::example::Example;
use shared_token_cache_interop::http;
use shared_token_cache_interop::root;
use shared_token_cache_interop::sign_in::{Home, expired};
use tempfile::TempDir;
use token_endpoint::sign_in::new_access_token;

use super::registry::Ground;
use super::{FOLDER, HOME, Logged, Served, Wash, allowed_hosts, consumer, everything_granted};
use crate::legs::{Host, Leg};
use crate::outcome::Outcome;
use crate::scenario::{is_redeemed_once, is_token};
use crate::scene::{Components, Scene};

/// The example's registry, and the `Host` name of its workload.
const REGISTRY: &str = "registry.contoso.com";
const NAME: &str = "whoami.contoso.com";

pub(crate) struct WashHost;

/// NATS and a registry that holds the components.
struct Engine {
    wash: Wash,
    ground: Ground,
    folder: TempDir,
}

impl Leg for WashHost {
    fn name(&self) -> &'static str {
        "wash-host"
    }

    fn authority(&self) -> Scheme {
        Scheme::Https
    }

    fn install(&self, components: &Components) -> Result<Box<dyn Host>> {
        let (wash, folder) = (Wash::install()?, TempDir::new()?);
        let ground = Ground::start(folder.path())?;
        for (component, name) in published(components)? {
            ground.push(&wash, folder.path(), &component, name)?;
        }
        Ok(Box::new(Engine { wash, ground, folder }))
    }
}

/// The components with their names in the example's workload.
fn published(components: &Components) -> Result<[(PathBuf, &'static str); 3]> {
    Ok([
        (consumer()?, "examples/wasmcloud-consumer:0.1.0"),
        (components.bare.clone(), "azure-identity/shared-token-cache:0.1.0"),
        (components.adapter.clone(), "azure-identity/shared-token-cache-wasi-adapter:0.1.0"),
    ])
}

impl Host for Engine {
    fn version(&self) -> String {
        format!("{}, {}", self.wash.version, self.ground.versions)
    }

    fn call(&mut self, scene: &Scene) -> Result<Outcome> {
        let api = Authority::api()?;
        self.run(scene, &api, &workload(scene, &api, self.ground.registry)?)
    }

    fn extras(&mut self, components: &Components) -> Vec<(&'static str, Result<()>)> {
        vec![
            ("the folder granted for reading only", self.read_only(components)),
            ("what was pulled is what was published", self.pulled_is_published(components)),
        ]
    }
}

impl Engine {
    /// Starts a host, gives it the workload, and sends a request to that. Each run has a host of
    /// its own, as a host reads its CAs at start.
    fn run(&self, scene: &Scene, api: &Authority, workload: &Value) -> Result<Outcome> {
        let (address, logs) = (http::free_address()?, TempDir::new()?);
        // The scheduler starts first: a host reports at its start, and then not for a while.
        let mut scheduler = self.scheduler(logs.path(), workload)?;
        let nats = format!("nats://{}", self.ground.nats);
        let ca = scene.ca.as_ref().context("wash trusts the CA that it is given")?;
        let mut command = self.wash.command(self.folder.path());
        command.args(["host", "--scheduler-nats-url", &nats, "--data-nats-url", &nats]);
        command.args(["--http-addr", &address.to_string(), "--allow-insecure-registries", "--oci-cache-dir"]);
        command.arg(self.pulled()).arg("--http-client-ca-path").arg(ca).arg("--http-client-ca-path");
        let host = Logged::start(command.arg(api.ca().context("the API has a CA")?), logs.path().join("host"))?;
        let shown = scheduler.log.clone();
        let answer = scheduler.until(|| line(&shown, 1)).context("the host does not take the workload");
        let result = answer.and_then(|answer| {
            is_running(&answer)?;
            Served { address, name: NAME, api }.ask(scene.operation)
        });
        let result = result.map_err(|why| anyhow!("{why:#}; the host printed: {}", host.log().trim()));
        host.end()?;
        result
    }

    /// The hosts' folder for pulled components.
    fn pulled(&self) -> PathBuf {
        self.folder.path().join("pulled")
    }

    /// A scheduler that gives the next host this workload.
    fn scheduler(&self, logs: &Path, workload: &Value) -> Result<Logged> {
        let script = root().join("tests/hosts/wasmcloud/schedule.py");
        let mut command = Command::new(&self.wash.python);
        let mut scheduler = Logged::start(command.arg(script).stdin(Stdio::piped()), logs.join("scheduler"))?;
        let nats = format!("nats://{}", self.ground.nats);
        scheduler.running.tell(&json!({ "nats": nats, "workload": workload }).to_string())?;
        let shown = scheduler.log.clone();
        scheduler.until(|| line(&shown, 0).filter(|line| line == "listening"))?;
        Ok(scheduler)
    }

    /// The new token reaches the API although the cache can't be written.
    fn read_only(&self, components: &Components) -> Result<()> {
        let before = expired()?;
        let (home, authority) = (Home::with(Some(&before))?, Authority::start(Scheme::Https)?);
        let (scene, api) = (everything_granted(components, &home, &authority), Authority::api()?);
        let mut workload = workload(&scene, &api, self.ground.registry)?;
        let mounts = workload.pointer_mut("/witWorld/components/2/localResources/volumeMounts/0");
        let mount = mounts.and_then(Value::as_object_mut).context("no volume is mounted")?;
        mount.insert("readOnly".into(), true.into());
        is_token(&self.run(&scene, &api, &workload)?, &new_access_token(0))?;
        is_redeemed_once(&authority)?;
        ensure!(home.text()? == before, "the cache file has changed");
        ensure!(home.beside()?.is_empty(), "something lies beside the cache");
        Ok(())
    }

    fn pulled_is_published(&self, components: &Components) -> Result<()> {
        let pulled = wasm_below(&self.pulled())?;
        let published = published(components)?;
        ensure!(pulled.len() == published.len(), "{} components were pulled", pulled.len());
        for (path, name) in published {
            let same = pulled.contains(&fs::read(path)?);
            ensure!(same, "{name} is not what was published");
        }
        Ok(())
    }
}

/// The example's workload for a scene.
fn workload(scene: &Scene, api: &Authority, registry: SocketAddr) -> Result<Value> {
    let (consumer_allowed, adapter_allowed) = allowed_hosts(scene, api);
    let variables = scene.environment(HOME).into_iter().map(|(name, value)| (name.to_owned(), Value::String(value)));
    let variables = Value::Object(variables.collect::<Map<_, _>>());
    let scope = scene.scopes.first().context("the consumer needs a scope")?;
    let mount = format!(r#"[{{ "name": "sign-in", "mountPath": "{HOME}/{FOLDER}" }}]"#);
    let mounted = if scene.granted.storage { mount.as_str() } else { "[]" };
    let text = Example::read("wasmcloud/workload.json")?
        .with(&format!("{REGISTRY}/examples/"), &format!("{registry}/examples/"))?
        .with(
            &format!("{REGISTRY}/azure-identity/shared-token-cache:"),
            &format!("{registry}/azure-identity/shared-token-cache:"),
        )?
        .with(
            &format!("{REGISTRY}/azure-identity/shared-token-cache-wasi"),
            &format!("{registry}/azure-identity/shared-token-cache-wasi"),
        )?
        .with("https://graph.microsoft.com/v1.0/me", &format!("https://{}/me", api.name()))?
        .with("https://graph.microsoft.com/.default", scope)?
        .with(r#"["https://graph.microsoft.com"]"#, &json!(consumer_allowed).to_string())?
        .with(r#"["https://login.microsoftonline.com"]"#, &json!(adapter_allowed).to_string())?
        .with(&format!(r#"{{ "HOME": "{HOME}" }}"#), &variables.to_string())?
        .with(&mount, mounted)?
        .with(&format!(r#""/home/user0/{FOLDER}""#), &json!(scene.home.join(FOLDER)).to_string())?
        .into_text();
    Ok(serde_json::from_str(&text)?)
}

/// The line of this number, once it is complete.
fn line(path: &Path, number: usize) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.split_inclusive('\n').nth(number)?.strip_suffix('\n').map(str::to_owned)
}

fn is_running(answer: &str) -> Result<()> {
    let answer: Value = serde_json::from_str(answer).with_context(|| format!("the host answered {answer:?}"))?;
    let state = answer.pointer("/workloadStatus/workloadState").and_then(Value::as_str);
    ensure!(state == Some("WORKLOAD_STATE_RUNNING"), "the workload does not run: {answer}");
    Ok(())
}

/// The contents of all components in this folder and its subfolders.
fn wasm_below(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.append(&mut wasm_below(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "wasm") {
            found.push(fs::read(path)?);
        }
    }
    Ok(found)
}
