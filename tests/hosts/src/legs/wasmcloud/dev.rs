//! `wash dev`: one machine, no NATS.

use std::fs;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::example::Example;
use shared_token_cache_interop::http;
use shared_token_cache_interop::sign_in::{Home, cached, two};
use tempfile::TempDir;
use token_endpoint::sign_in::{VAULT, access_token, new_access_token};

use super::{FOLDER, HOME, Logged, Served, Wash, allowed_hosts, consumer, everything_granted};
use crate::legs::{Host, Leg};
use crate::outcome::Outcome;
use crate::scenario::is_token;
use crate::scene::{Components, Operation, Scene};

pub(crate) struct WashDev;

struct Installed(Wash);

impl Leg for WashDev {
    fn name(&self) -> &'static str {
        "wash-dev"
    }

    fn authority(&self) -> Scheme {
        Scheme::Https
    }

    fn install(&self, _: &Components) -> Result<Box<dyn Host>> {
        consumer()?;
        Ok(Box::new(Installed(Wash::install()?)))
    }
}

impl Host for Installed {
    fn version(&self) -> String {
        self.0.version.clone()
    }

    fn call(&mut self, scene: &Scene) -> Result<Outcome> {
        let (api, address) = (Authority::api()?, http::free_address()?);
        let config = config(scene, &api, address)?;
        self.run(&config.into_text(), address, &api, |served| served.ask(scene.operation))
    }

    fn extras(&mut self, components: &Components) -> Vec<(&'static str, Result<()>)> {
        vec![
            ("asked under another name", self.asked_under_another_name(components)),
            ("the API not granted", self.the_api_not_granted(components)),
            ("one of two accounts", self.one_of_two_accounts(components)),
            ("the sign-in of the Azure CLI", self.the_sign_in_of_the_azure_cli(components)),
        ]
    }
}

impl Installed {
    /// Runs the three components with `config`, and sends a request to the consumer.
    fn run<T>(
        &self,
        config: &str,
        address: SocketAddr,
        api: &Authority,
        ask: impl FnOnce(&Served<'_>) -> Result<T>,
    ) -> Result<T> {
        let project = TempDir::new()?;
        fs::create_dir(project.path().join(".wash"))?;
        fs::write(project.path().join(".wash/config.yaml"), config)?;
        let mut command = self.0.command(project.path());
        let mut wash = Logged::start(command.arg("dev").current_dir(project.path()), project.path().join("log"))?;
        let name = address.to_string();
        // The port opens before the components are ready.
        let is_ready = || http::get(address, &name, "/supported").is_ok_and(|response| response.status == 200);
        wash.until(|| is_ready().then_some(()))?;
        let result = ask(&Served { address, name: &name, api });
        wash.end()?;
        result
    }

    /// Sends a request to the consumer about a home, with an edited copy of the example's
    /// configuration.
    fn with<T>(
        &self,
        components: &Components,
        home: &Home,
        change: impl FnOnce(Example, &Authority) -> Result<Example>,
        ask: impl FnOnce(&Served<'_>) -> Result<T>,
    ) -> Result<T> {
        let (authority, api, address) = (Authority::start(Scheme::Https)?, Authority::api()?, http::free_address()?);
        let config = change(config(&everything_granted(components, home, &authority), &api, address)?, &api)?;
        self.run(&config.into_text(), address, &api, ask)
    }

    /// DNS rebinding: a web page whose own name resolves to this machine's address.
    fn asked_under_another_name(&self, components: &Components) -> Result<()> {
        let ask = |served: &Served<'_>| {
            let response = http::get(served.address, "page.contoso.com", "/whoami")?;
            ensure!(response.status == 421, "not refused: {response:?}");
            ensure!(served.api.requests().is_empty(), "the API was asked");
            Ok(())
        };
        self.with(components, &Home::with(Some(&cached()))?, |example, _| Ok(example), ask)
    }

    fn the_api_not_granted(&self, components: &Components) -> Result<()> {
        let change = |example: Example, api: &Authority| {
            example.with(&format!("allowedHosts: [\"https://{}\"]", api.name()), "allowedHosts: []")
        };
        let outcome = self.with(components, &Home::with(Some(&cached()))?, change, whoami)?;
        let Outcome::Error { error } = &outcome else { bail!("no error: {outcome:?}") };
        ensure!(error.kind == "api" && error.message.contains("grant"), "another error: {outcome:?}");
        Ok(())
    }

    fn one_of_two_accounts(&self, components: &Components) -> Result<()> {
        let change = |example: Example, _: &Authority| {
            example.with("      SERVED_HOST: ", "      AZURE_USERNAME: user0@contoso.com\n      SERVED_HOST: ")
        };
        is_token(&self.with(components, &Home::with(Some(&two()))?, change, whoami)?, &new_access_token(0))
    }

    /// The configuration of the example's README.
    fn the_sign_in_of_the_azure_cli(&self, components: &Components) -> Result<()> {
        let home = Home::with(None)?;
        fs::create_dir(home.path().join(".azure"))?;
        fs::write(home.path().join(".azure/msal_token_cache.json"), cached())?;
        let change = |example: Example, _: &Authority| {
            example
                .with(&format!("{HOME}/{FOLDER}"), &format!("{HOME}/.azure"))?
                .with(&home.path().join(FOLDER).to_string_lossy(), &home.path().join(".azure").to_string_lossy())?
                .with("          HOME: ", "          SHARED_TOKEN_CACHE_SOURCE: azure-cli\n          HOME: ")
        };
        is_token(&self.with(components, &home, change, whoami)?, &access_token(0, VAULT))
    }
}

fn whoami(served: &Served<'_>) -> Result<Outcome> {
    served.ask(Operation::GetToken)
}

/// The example's configuration for a scene.
fn config(scene: &Scene, api: &Authority, address: SocketAddr) -> Result<Example> {
    let (consumer_allowed, adapter_allowed) = allowed_hosts(scene, api);
    let variables = scene.environment(HOME);
    let variables: String =
        variables.iter().map(|(name, value)| format!("          {name}: {}\n", json!(value))).collect();
    let ca = scene.ca.as_ref().context("wash trusts the CA that it is given")?;
    let scope = scene.scopes.first().context("the consumer needs a scope")?;
    let volumes = format!("  volumes:\n    - host_path: /home/user0/{FOLDER}\n      guest_path: {HOME}/{FOLDER}\n");
    let granted = json!([{ "host_path": scene.home.join(FOLDER), "guest_path": format!("{HOME}/{FOLDER}") }]);
    let granted = if scene.granted.storage { granted } else { Value::Array(Vec::new()) };
    Example::read("wasmcloud/.wash/config.yaml")?
        .with("cargo xtask build examples", "\"true\"")?
        .with("../../target/component/wasmcloud-consumer.wasm", &json!(consumer()?).to_string())?
        .with("../../target/dist/shared-token-cache.wasm", &json!(scene.components.bare).to_string())?
        .with("../../target/dist/shared-token-cache-wasi-adapter.wasm", &json!(scene.components.adapter).to_string())?
        .with("SERVED_HOST: 127.0.0.1:8000", &format!("SERVED_HOST: {address}"))?
        .with("address: 127.0.0.1:8000", &format!("address: {address}"))?
        .with("https://graph.microsoft.com/v1.0/me", &format!("https://{}/me", api.name()))?
        .with("https://graph.microsoft.com/.default", scope)?
        .with("allowedHosts: [\"https://graph.microsoft.com\"]", &format!("allowedHosts: {}", json!(consumer_allowed)))?
        .with(
            "allowedHosts: [\"https://login.microsoftonline.com\"]",
            &format!("allowedHosts: {}", json!(adapter_allowed)),
        )?
        .with(&format!("          HOME: {HOME}\n"), &variables)?
        .with(&volumes, &format!("  volumes: {granted}\n  http_client_ca_paths: {}\n", json!([ca, api.ca()])))
}
