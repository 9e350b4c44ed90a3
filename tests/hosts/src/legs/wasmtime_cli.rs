//! The wasmtime command line on the composed component.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use shared_token_cache_interop::authority::Scheme;
use shared_token_cache_interop::install;
use shared_token_cache_interop::process::{output, run};
use shared_token_cache_interop::root;

use super::{Host, Leg};
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::scene::{Components, Operation, Scene};
use crate::{adapter, wave};

const LIMIT: Duration = Duration::from_secs(60);

/// The component's path of the home folder.
const HOME: &str = "/home/user0";

pub(crate) struct WasmtimeCli;

struct Installed {
    program: PathBuf,
    version: String,
}

impl Leg for WasmtimeCli {
    fn name(&self) -> &'static str {
        "wasmtime"
    }

    fn authority(&self) -> Scheme {
        Scheme::Http
    }

    fn cannot(&self, scenario: Scenario) -> Option<&'static str> {
        (scenario == Scenario::DeniedNetwork)
            .then_some("`-S http` lets a component ask any host; the adapter's list of authorities is the only limit")
    }

    fn install(&self, _: &Components) -> Result<Box<dyn Host>> {
        let python = install::python("wasmtime", &root().join("tests/hosts/wasmtime/requirements.txt"))?;
        let program = install::program(&python, "wasmtime_cli", "wasmtime")?;
        let version = output(Command::new(&program).arg("--version"), LIMIT)?.trim().to_owned();
        Ok(Box::new(Installed { program, version }))
    }
}

impl Host for Installed {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn call(&mut self, scene: &Scene) -> Result<Outcome> {
        let mut command = Command::new(&self.program);
        command.args(["run", "-S", "http"]);
        if scene.granted.storage {
            command.args(["--dir", &format!("{}::{HOME}", scene.home.display())]);
        }
        for (name, value) in scene.environment(HOME) {
            command.args(["--env", &format!("{name}={value}")]);
        }
        let call = match scene.operation {
            Operation::Supported => "supported()".to_owned(),
            Operation::GetToken => {
                let scopes: Vec<_> = scene.scopes.iter().map(|scope| format!("{scope:?}")).collect();
                format!("get-token([{}], none, none)", scopes.join(", "))
            }
        };
        let finished = run(command.args(["--invoke", &call]).arg(&scene.components.composed), "", LIMIT)?;
        if !finished.status.success() {
            bail!("wasmtime failed ({}): {}", finished.status, finished.stderr.trim());
        }
        Outcome::from_contract(&wave::read(&finished.stdout)?)
    }

    /// The adapter is the same on every host, so its error handling is tested on this one.
    fn extras(&mut self, components: &Components) -> Vec<(&'static str, Result<()>)> {
        adapter::checks(&self.program, components)
    }
}
