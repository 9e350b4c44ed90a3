//! Wassette, which offers components to language models as tools: the composed component, once with
//! the command line and grants by command, once as an MCP server on standard input and output with
//! the example's policy file.

mod install;
mod mcp;
mod policy;
mod runs;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use shared_token_cache_interop::authority::Scheme;
use shared_token_cache_interop::process::run;
use tempfile::TempDir;
use token_endpoint::sign_in::MARK;

use self::install::Program;
use self::mcp::Session;
use self::policy::Example;
use super::{Host, Leg};
use crate::outcome::Outcome;
use crate::scene::{Components, Operation, Scene};

const LIMIT: Duration = Duration::from_secs(60);

/// Wassette's name for the component, from its file name.
const ID: &str = "shared-token-cache-wasi";

/// Wassette on its command line.
pub(crate) struct WassetteCli;

/// Wassette as a server for a model's program.
pub(crate) struct WassetteMcp;

impl Leg for WassetteCli {
    fn name(&self) -> &'static str {
        "wassette"
    }

    fn authority(&self) -> Scheme {
        Scheme::Http
    }

    fn install(&self, components: &Components) -> Result<Box<dyn Host>> {
        Ok(Box::new(Cli(Wassette::with(components)?)))
    }
}

impl Leg for WassetteMcp {
    fn name(&self) -> &'static str {
        "wassette-mcp"
    }

    fn authority(&self) -> Scheme {
        Scheme::Http
    }

    fn install(&self, components: &Components) -> Result<Box<dyn Host>> {
        Ok(Box::new(Mcp(Wassette::with(components)?)))
    }
}

struct Cli(Wassette);

impl Host for Cli {
    fn version(&self) -> String {
        self.0.program.version.clone()
    }

    fn call(&mut self, scene: &Scene) -> Result<Outcome> {
        self.0.grant_by_command(scene)?;
        Ok(self.0.invoke(scene)?.0)
    }

    fn extras(&mut self, components: &Components) -> Vec<(&'static str, Result<()>)> {
        vec![
            ("the example's policy as it is", runs::the_example_as_it_is(&self.0, components)),
            ("nothing of the environment granted", runs::no_environment(&self.0, components)),
            ("the folder granted for reading only", runs::read_only(&self.0, components)),
        ]
    }
}

struct Mcp(Wassette);

impl Host for Mcp {
    fn version(&self) -> String {
        self.0.program.version.clone()
    }

    fn call(&mut self, scene: &Scene) -> Result<Outcome> {
        self.0.grant_by_file(&Example::read()?.for_scene(scene)?)?;
        let mut session = Session::start(&mut self.0.command(scene))?;
        let (tool, arguments) = tool(scene);
        let came = session.call(&tool, arguments).and_then(|value| outcome(&value));
        ensure!(!session.end()?.contains(MARK), "Wassette's log holds a secret");
        came
    }

    fn extras(&mut self, components: &Components) -> Vec<(&'static str, Result<()>)> {
        vec![("no tool with which a model grants", runs::no_tool_grants(&self.0, components))]
    }
}

/// An installed Wassette that has loaded the component, into a folder of its own.
struct Wassette {
    program: Program,
    data: TempDir,
}

impl Wassette {
    fn with(components: &Components) -> Result<Self> {
        let wassette = Self { program: Program::install()?, data: tempfile::tempdir()? };
        let file = format!("file://{}", components.composed.display());
        let mut load = wassette.command_at(wassette.data.path());
        let loaded =
            succeed(load.args(["component", "load", &file])).context("Wassette does not load the component")?;
        ensure!(loaded.0.contains(ID), "Wassette calls the component otherwise: {}", loaded.0);
        Ok(wassette)
    }

    /// Wassette with none of the user's environment, and none of the folders that it finds through
    /// `HOME`.
    fn command_at(&self, home: &Path) -> Command {
        let mut command = self.program.command();
        command.env_clear().env("HOME", home).current_dir(self.data.path());
        for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"] {
            command.env(name, self.data.path());
        }
        command
    }

    /// Wassette with every variable that a component can use in its environment: the policy decides
    /// which of them the component gets.
    fn command(&self, scene: &Scene) -> Command {
        let mut command = self.command_at(&scene.home);
        command.envs(scene.environment(&scene.home.to_string_lossy()));
        command
    }

    /// Revokes every permission, and grants those of the scene.
    fn grant_by_command(&self, scene: &Scene) -> Result<()> {
        self.grant(&["reset"], &[])?;
        if scene.granted.storage {
            let folder = format!("fs://{}/.IdentityService", scene.home.display());
            self.grant(&["grant", "storage"], &[&folder, "--access", "read,write"])?;
        }
        if scene.granted.network {
            self.grant(&["grant", "network"], &[host(&scene.authority)])?;
        }
        for (name, _) in scene.environment("") {
            self.grant(&["grant", "environment-variable"], &[name])?;
        }
        Ok(())
    }

    fn grant(&self, what: &[&str], details: &[&str]) -> Result<()> {
        let mut command = self.command_at(self.data.path());
        succeed(command.arg("permission").args(what).arg(ID).args(details))?;
        Ok(())
    }

    /// Puts a policy file where Wassette looks for it.
    fn grant_by_file(&self, policy: &str) -> Result<()> {
        let path = self.data.path().join("wassette/components").join(format!("{ID}.policy.yaml"));
        std::fs::write(&path, policy).with_context(|| path.display().to_string())
    }

    /// Calls the scene's tool on the command line; returns the outcome and the log.
    fn invoke(&self, scene: &Scene) -> Result<(Outcome, String)> {
        let (tool, arguments) = tool(scene);
        let mut command = self.command(scene);
        let (stdout, stderr) = succeed(command.args(["tool", "invoke", &tool, "--args"]).arg(arguments.to_string()))?;
        ensure!(!stderr.contains(MARK), "Wassette's log holds a secret");
        let value: Value = serde_json::from_str(&stdout).with_context(|| format!("this is no JSON: {stdout}"))?;
        Ok((outcome(&value)?, stderr))
    }
}

/// The scene's tool and its arguments. Wassette requires every argument, with none as null.
fn tool(scene: &Scene) -> (String, Value) {
    let (function, arguments) = match scene.operation {
        Operation::Supported => ("supported", json!({})),
        Operation::GetToken => ("get-token", json!({ "scopes": scene.scopes, "request": null, "credential": null })),
    };
    (format!("azure-identity_shared-token-cache_tokens_0_2_0_{function}"), arguments)
}

/// The result of a tool. Wassette writes a variant as its tag and its value, in two members.
fn outcome(value: &Value) -> Result<Outcome> {
    let Some(error) = value.get("err") else { return Outcome::from_contract(value) };
    let (tag, payload) = (error.get("tag").and_then(Value::as_str), error.get("val"));
    let tag = tag.with_context(|| format!("an error without a tag: {error}"))?;
    Outcome::from_contract(&json!({ "err": { tag: payload } }))
}

/// Wassette grants hosts without their ports.
fn host(authority: &str) -> &str {
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

fn succeed(command: &mut Command) -> Result<(String, String)> {
    let finished = run(command, "", LIMIT)?;
    ensure!(finished.status.success(), "wassette failed ({}): {}", finished.status, finished.stderr.trim());
    Ok((finished.stdout, finished.stderr))
}
