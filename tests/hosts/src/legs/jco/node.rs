//! Node.js with the packages pinned in `tests/hosts/node`, and a component transpiled for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use shared_token_cache_interop::install;
use shared_token_cache_interop::process::{Finished, output, run};
use shared_token_cache_interop::root;

use crate::scene::{Components, Scene};

const LIMIT: Duration = Duration::from_secs(60);

pub(super) struct Node {
    folder: PathBuf,
    version: String,
    /// A component or an example that can't be built fails the suite; it is no reason to skip.
    transpiled: Result<String, String>,
}

impl Node {
    /// Installs the example as well, built as its users build it.
    pub(super) fn with_example(components: &Components) -> Result<Self> {
        Self::with(|folder| {
            // The folders' relative places are those of the repository: the example's build looks
            // for the component in `target/dist`.
            let (example, dist) = (folder.join("examples/node"), folder.join("target/dist"));
            // A file that was removed from the example must not be found here.
            if example.exists() {
                fs::remove_dir_all(&example)?;
            }
            copy_files(&root().join("examples/node"), &example)?;
            fs::create_dir_all(&dist)?;
            fs::copy(&components.bare, dist.join("shared-token-cache.wasm"))?;
            transpile(&example.join("component"), Command::new("npm").args(["run", "build"]).current_dir(&example))
        })
    }

    pub(super) fn with_composed(components: &Components) -> Result<Self> {
        Self::with(|folder| {
            let built = folder.join("composed");
            let jco = folder.join("node_modules/.bin/jco");
            let arguments = ["--instantiation", "async", "--quiet", "--out-dir"];
            let mut command = Command::new(jco);
            transpile(&built, command.arg("transpile").arg(&components.composed).args(arguments).arg(&built))
        })
    }

    fn with(build: impl FnOnce(&Path) -> Result<String>) -> Result<Self> {
        let source = root().join("tests/hosts/node");
        let node = output(Command::new("node").arg("--version"), LIMIT)?;
        let folder = install::node_modules("node", &source)?;
        let jco = output(Command::new(folder.join("node_modules/.bin/jco")).arg("--version"), LIMIT)?;
        let transpiled = copy_files(&source, &folder).and_then(|()| build(&folder));
        let version = format!("jco {} on node {}", jco.trim(), node.trim());
        Ok(Self { folder, version, transpiled: transpiled.map_err(|why| format!("{why:#}")) })
    }

    pub(super) fn version(&self) -> String {
        format!("{}: {}", self.version, self.transpiled.as_deref().unwrap_or("nothing was transpiled"))
    }

    /// Runs a script in a scene, which it gets as `input`. The script has to succeed.
    pub(super) fn run(
        &self,
        script: &str,
        scene: &Scene,
        input: &impl Serialize,
        variables: &[(&str, &str)],
    ) -> Result<Finished> {
        let mut command = self.command(script)?;
        command.env("HOME", &scene.home).envs(scene.ca.iter().map(|ca| ("NODE_EXTRA_CA_CERTS", ca)));
        succeed(command.envs(variables.iter().copied()), &serde_json::to_string(input)?)
    }

    /// Checks the example's types.
    pub(super) fn check_types(&self) -> Result<()> {
        succeed(&mut self.command("node_modules/.bin/tsc")?, "").map(drop)
    }

    /// A script whose environment has no variables of the developer's.
    fn command(&self, script: &str) -> Result<Command> {
        if let Err(why) = &self.transpiled {
            bail!("{why}");
        }
        let mut command = Command::new("node");
        command.arg(script).current_dir(&self.folder).env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        Ok(command)
    }
}

fn succeed(command: &mut Command, input: &str) -> Result<Finished> {
    let finished = run(command, input, LIMIT)?;
    if !finished.status.success() {
        bail!("it ended with {}: {}{}", finished.status, finished.stdout.trim(), finished.stderr.trim());
    }
    Ok(finished)
}

/// Runs `command`, which fills the folder `built`; prints the folder's size and the duration.
fn transpile(built: &Path, command: &mut Command) -> Result<String> {
    if built.exists() {
        fs::remove_dir_all(built)?;
    }
    let started = Instant::now();
    output(command, LIMIT).context("jco can't transpile the component")?;
    let seconds = started.elapsed().as_secs_f32();
    let (script, wasm) = (size(built, "js")?, size(built, "wasm")?);
    Ok(format!(
        "transpiled in {seconds:.1} s to {} KiB of JavaScript and {} KiB of WebAssembly",
        script >> 10,
        wasm >> 10
    ))
}

fn size(folder: &Path, extension: &str) -> Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|found| found == extension) {
            size += entry.metadata()?.len();
        }
    }
    Ok(size)
}

/// Copies the files of a folder without its subfolders, replacing existing ones.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn read(path: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(root().join(path)).unwrap()).unwrap()
    }

    #[test]
    fn the_example_is_built_with_the_versions_that_it_names() {
        let (example, ours) = (read("examples/node/package.json"), read("tests/hosts/node/package.json"));
        for (name, version) in example["devDependencies"].as_object().unwrap() {
            assert_eq!(*version, ours["dependencies"][name], "{name}");
        }
    }

    #[test]
    fn what_is_installed_is_pinned_by_a_hash_and_comes_from_the_registry() {
        let lock = read("tests/hosts/node/package-lock.json");
        for (path, package) in lock["packages"].as_object().unwrap().iter().filter(|(path, _)| !path.is_empty()) {
            // The registry that the lock file was made with lacks some packages for other
            // platforms.
            let fits = |field: &str, ours: &str| package[field].as_array().is_none_or(|all| all.contains(&ours.into()));
            let of_this_platform = fits("os", "linux") && fits("cpu", "x64") && fits("libc", "glibc");
            assert!(package.get("integrity").is_some() || !of_this_platform, "{path}");
            let resolved = package["resolved"].as_str().unwrap_or("https://registry.npmjs.org/");
            assert!(resolved.starts_with("https://registry.npmjs.org/"), "{path}: {resolved}");
        }
    }
}
