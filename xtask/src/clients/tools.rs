//! Command line tools: az, azcopy, azd, git and kubectl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::sdks;
use super::world::{Agent, DEVOPS, SUBSCRIPTION, TENANT, VAULT, World};
use super::{Checks, Report, has, same};
use crate::python::{self, is_in_path};
use crate::run::output;

/// The real Azure CLI, signed in with the managed identity that the agent serves.
pub(super) fn az() -> Result<Checks> {
    let python = python::with_whole_azure_cli()?;
    Ok(Box::new(move |report| {
        let world = World::new()?;
        let cloud = Cloud::start(&world, &python)?;
        let agent = world.serve("arm,vault", &["--http", "127.0.0.1:0"])?;
        let az = Az { world: &world, cloud: &cloud, agent: &agent, python: &python };
        report.add("az login --identity", az.login());
        report.add("az account get-access-token --resource https://vault.azure.net", az.get_access_token());
        report.add("az group list sends the token of Azure Resource Manager", az.list_groups());
        report.add("az account get-access-token with a scope of another profile is refused", az.refused());
        report.add("the link `az` answers as az does, and passes `az group list` on to az", az.link());
        report.add("az asked no authority and no other identity endpoint", az.hosts());
        Ok(())
    }))
}

struct Az<'a> {
    world: &'a World,
    cloud: &'a Cloud,
    agent: &'a Agent,
    python: &'a Path,
}

impl Az<'_> {
    /// az in a home without a sign-in.
    fn command(&self, program: &Path) -> Command {
        let mut command = self.world.command(program);
        command.envs(self.cloud.variables()).envs(&self.agent.variables).env("HOME", self.world.path("container"));
        command
            .env("AZURE_CONFIG_DIR", self.world.path("container/.azure"))
            .env("AZURE_CORE_COLLECT_TELEMETRY", "false");
        command
    }

    fn run(&self, words: &[&str]) -> Result<Value> {
        let text = output(self.command(self.python).args(["-m", "azure.cli"]).args(words).args(["--output", "json"]))?;
        serde_json::from_str(&text).with_context(|| format!("{text:?} is no JSON"))
    }

    fn login(&self) -> Result<()> {
        fs::create_dir_all(self.world.path("container"))?;
        let answer = self.run(&["login", "--identity"])?;
        for (field, expected) in
            [("/0/id", SUBSCRIPTION), ("/0/tenantId", TENANT), ("/0/user/name", "systemAssignedIdentity")]
        {
            same(field, text(&answer, field), expected)?;
        }
        Ok(())
    }

    fn get_access_token(&self) -> Result<()> {
        let answer = self.run(&["account", "get-access-token", "--resource", "https://vault.azure.net"])?;
        same("the token", text(&answer, "/accessToken"), &self.world.access_token(VAULT))?;
        let expires_on = answer.pointer("/expires_on").and_then(Value::as_u64).unwrap_or_default();
        if expires_on.abs_diff(self.world.expires_on()) > 30 {
            bail!("it expires at {expires_on}, and {} was expected", self.world.expires_on());
        }
        same("the subscription", text(&answer, "/subscription"), SUBSCRIPTION)
    }

    fn list_groups(&self) -> Result<()> {
        let answer = self.run(&["group", "list"])?;
        same("the group", text(&answer, "/0/name"), "demo")
    }

    fn refused(&self) -> Result<()> {
        match self.run(&["account", "get-access-token", "--resource", "https://graph.microsoft.com"]) {
            Ok(answer) => bail!("it got {answer}"),
            Err(why) => {
                has(&why.to_string(), &["no profile of this client has the scope https://graph.microsoft.com/.default"])
            }
        }
    }

    fn link(&self) -> Result<()> {
        let (links, real) = (self.world.path("links"), self.world.path("real"));
        output(self.world.program().args(["shim", "install", "--dir"]).arg(&links))?;
        fs::create_dir_all(&real)?;
        let script = format!("#!/bin/sh\nexec '{}' -m azure.cli \"$@\"\n", self.python.display());
        let file = self.world.write("real/az", &script)?;
        executable(&file)?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([links, real].into_iter().chain(std::env::split_paths(&path)))?;
        let linked = |words: &str| -> Result<Value> {
            let mut command = self.command(Path::new("/bin/sh"));
            command.env("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION).env("AZURE_TENANT_ID", TENANT);
            Ok(serde_json::from_str(&output(command.env("PATH", &path).args(["-c", words]))?)?)
        };
        let words = ["account", "get-access-token", "--resource", "https://vault.azure.net"];
        let (of_link, of_az) = (linked(&format!("az {} --output json", words.join(" ")))?, self.run(&words)?);
        let fields = |answer: &Value| -> Vec<String> {
            answer.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
        };
        same("the fields", &fields(&of_link).join(" "), &fields(&of_az).join(" "))?;
        same("the token", text(&of_link, "/accessToken"), text(&of_az, "/accessToken"))?;
        same("the group", text(&linked("az group list --output json")?, "/0/name"), "demo")
    }

    /// The proxy has every request but those to the agent. az also looks for new versions of itself.
    fn hosts(&self) -> Result<()> {
        let log = self.cloud.log()?;
        let mut asked = log.lines().skip(1).filter(|line| !line.contains(" azcliprod.blob.core.windows.net:443 "));
        let of_arm = |line: &&str| line.contains(" management.azure.com ") && line.ends_with(" 200 Bearer");
        match asked.clone().find(|line| !of_arm(line)) {
            Some(line) => bail!("{line}"),
            None if asked.nth(2).is_none() => bail!("too few requests: {log}"),
            None => Ok(()),
        }
    }
}

/// azcopy, which uses the SDK for Go, by a managed identity and by `az`.
pub(super) fn azcopy() -> Result<Checks> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("the package has a program for Linux on x86-64");
    }
    let modules = sdks::node_modules("azcopy")?;
    let program = modules.join("node_modules/@azure-tools/azcopy-linux/dist/bin/azcopy_linux_amd64");
    executable(&program)?;
    let python = python::with_azure_identity()?;
    Ok(Box::new(move |report| {
        let world = World::new()?;
        let cloud = Cloud::start(&world, &python)?;
        output(world.program().args(["shim", "install", "--dir"]).arg(world.path("links")))?;
        let mut run = world.program();
        run.arg("run").arg("--policy").arg(world.path("home/policy.toml")).args(["--profile", "storage", "--"]);
        run.arg(&program);
        report.add("azcopy reads a blob, as a managed identity", azcopy_by(&world, &cloud, run, "MSI"));
        let mut linked = world.command(&program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(world.path("links")).chain(std::env::split_paths(&path));
        linked.env("PATH", std::env::join_paths(path)?);
        report.add("azcopy reads a blob, by the link `az`", azcopy_by(&world, &cloud, linked, "AZCLI"));
        let mut other = world.program();
        other.arg("run").arg("--policy").arg(world.path("home/policy.toml")).args(["--profile", "vault", "--"]);
        other.arg(&program);
        report.add(
            "azcopy gets no token of another profile",
            match azcopy_by(&world, &cloud, other, "MSI") {
                Ok(()) => Err(anyhow!("it read the blob")),
                Err(why) => has(
                    &why.to_string(),
                    &["no profile of this client has the scope https://storage.azure.com/.default"],
                ),
            },
        );
        Ok(())
    }))
}

/// Copies the blob to a file by a command that ends with azcopy.
fn azcopy_by(world: &World, cloud: &Cloud, mut command: Command, login: &str) -> Result<()> {
    let target = world.path(&format!("{login}.txt"));
    command.args(["copy", "--skip-version-check", "https://contoso.blob.core.windows.net/data/hello.txt"]).arg(&target);
    command.envs(cloud.variables()).env("AZCOPY_AUTO_LOGIN_TYPE", login).env("AZCOPY_DISABLE_SYSLOG", "true");
    let done = command.output()?;
    if !done.status.success() {
        // azcopy prints its errors to stdout.
        bail!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    }
    same("the blob", &fs::read_to_string(target)?, "The blob.\n")
}

fn executable(file: &Path) -> Result<()> {
    #[cfg(unix)]
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(())
}

/// azd, where it is installed: it comes from no package registry.
pub(super) fn azd() -> Result<Checks> {
    if !is_in_path("azd") {
        bail!("there is no azd in PATH, and no package registry has it");
    }
    Ok(Box::new(|report| {
        let world = World::new()?;
        let agent = world.serve("vault", &["--http", "127.0.0.1:0"])?;
        let ask = |scope: &str| {
            let mut command = world.command(Path::new("azd"));
            command.envs(&agent.variables).args(["auth", "token", "--output", "json", "--no-prompt", "--scope", scope]);
            output(&mut command)
        };
        let answer = ask(VAULT).and_then(|text| Ok(serde_json::from_str::<Value>(&text)?));
        report.add(
            "azd auth token",
            answer.and_then(|it| same("the token", text(&it, "/token"), &world.access_token(VAULT))),
        );
        report.add(
            "a scope of another profile is refused",
            match ask(DEVOPS) {
                Ok(answer) => Err(anyhow!("it got {answer}")),
                Err(why) => has(&why.to_string(), &["no profile of this client"]),
            },
        );
        Ok(())
    }))
}

/// git with the credential helper, and a repository at the name of Azure DevOps.
pub(super) fn git() -> Result<Checks> {
    output(Command::new("git").arg("--version")).context("there is no git")?;
    let python = python::with_azure_identity()?;
    Ok(Box::new(move |report| {
        let world = World::new()?;
        let cloud = Cloud::start(&world, &python)?;
        let git = |input: &str, words: &[&str]| -> Result<String> {
            let mut command = world.command(Path::new("git"));
            command.envs(cloud.variables()).env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_NOSYSTEM", "1");
            // The line of docs/agents.md, with the program's path.
            let helper = format!("!'{}' git-credential", world.program().get_program().to_string_lossy());
            command.arg("-c").arg(format!("credential.https://dev.azure.com.helper={helper}"));
            with_input(command.args(words), input)
        };
        let listed = git("", &["ls-remote", "https://dev.azure.com/contoso/_git/demo"]);
        report.add("git ls-remote lists the branch", listed.and_then(|text| has(&text, &["refs/heads/demo"])));
        let log = cloud.log()?;
        let asked: Vec<_> = log.lines().skip(1).collect();
        report.add(
            "git sent no token, and then the token",
            match asked.as_slice() {
                [first, second] if first.ends_with("401 no token or another one") && second.contains(" 200 B") => {
                    Ok(())
                }
                _ => Err(anyhow!("{log}")),
            },
        );
        let request = "protocol=https\nhost=dev.azure.com\n\n";
        let filled = git(request, &["credential", "fill"]);
        report.add(
            "git credential fill has the token",
            filled.and_then(|text| has(&text, &[&world.access_token(DEVOPS)])),
        );
        let other = git("protocol=https\nhost=contoso.com\n\n", &["-c", "credential.helper=", "credential", "fill"]);
        report.add(
            "the helper says nothing for another host",
            match other {
                Ok(text) => Err(anyhow!("{text}")),
                Err(why) => has(&why.to_string(), &["terminal prompts disabled"]),
            },
        );
        Ok(())
    }))
}

/// kubectl with the exec plugin of docs/agents.md, and an API server that wants the token.
pub(super) fn kubectl() -> Result<Checks> {
    if !is_in_path("kubectl") {
        bail!("there is no kubectl in PATH");
    }
    let python = python::with_azure_identity()?;
    Ok(Box::new(move |report| {
        let world = World::new()?;
        let cloud = Cloud::start(&world, &python)?;
        for version in ["v1", "v1beta1"] {
            let version = format!("client.authentication.k8s.io/{version}");
            report.add(&format!("kubectl takes the token as {version}"), kubectl_with(&world, &cloud, &version));
        }
        unauthorized(report, &world, &cloud);
        Ok(())
    }))
}

fn kubectl_with(world: &World, cloud: &Cloud, version: &str) -> Result<()> {
    let exec = json!({
        "apiVersion": version, "interactiveMode": "Never", "command": world.program().get_program().to_string_lossy(),
        "args": ["get-token", "--preset", "aks", "--output", "exec-credential"],
    });
    let answer = ask_cluster(world, cloud, &json!({ "exec": exec }))?;
    has(&answer, &["v1.32.0-contoso"])?;
    has(&cloud.log()?, &["GET cluster /version 200 Bearer"])
}

/// With another token the API server refuses: otherwise its answer would prove nothing.
fn unauthorized(report: &mut Report, world: &World, cloud: &Cloud) {
    report.add(
        "with another token the API server refuses",
        match ask_cluster(world, cloud, &json!({ "token": "another" })) {
            Ok(answer) => Err(anyhow!("it answered {answer}")),
            Err(why) => has(&why.to_string(), &["the server has asked for the client to provide credentials"]),
        },
    );
}

fn ask_cluster(world: &World, cloud: &Cloud, user: &Value) -> Result<String> {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "demo",
        "clusters": [{ "name": "demo", "cluster": { "server": cloud.cluster(), "certificate-authority": cloud.certificate() } }],
        "contexts": [{ "name": "demo", "context": { "cluster": "demo", "user": "aks" } }],
        "users": [{ "name": "aks", "user": user }],
    });
    let file: PathBuf = world.write("kubeconfig", &config.to_string())?;
    output(world.command(Path::new("kubectl")).arg("--kubeconfig").arg(file).args(["get", "--raw", "/version"]))
}

/// Runs a program with `input` on its standard input.
fn with_input(command: &mut Command, input: &str) -> Result<String> {
    use std::io::Write as _;
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = process.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = process.wait_with_output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A text field of an answer.
fn text<'a>(answer: &'a Value, pointer: &str) -> &'a str {
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
