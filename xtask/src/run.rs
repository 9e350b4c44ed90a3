//! Runs other programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The cargo that runs this command, in the workspace's root.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The scripts and the program expect the build below the root.
    cargo.current_dir(root()).env("CARGO_TARGET_DIR", root().join("target"));
    // `cargo run` sets these variables for xtask, and ring's build script depends on them: without
    // their removal, alternating between xtask and a direct cargo call would recompile ring and its
    // dependents each time.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|start| name.to_string_lossy().starts_with(start)) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// A cargo for builds that are tested only: without optimisation and debug information, in a folder
/// of its own.
pub(crate) fn quick_cargo() -> Command {
    let mut cargo = cargo();
    cargo.env("CARGO_TARGET_DIR", quick_target()).env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo
}

/// The folder of [`quick_cargo`].
pub(crate) fn quick_target() -> PathBuf {
    root().join("target/quick")
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{name} can't be started"))?;
    if !status.success() {
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        bail!("`{name} {}` failed: {status}", arguments.join(" "));
    }
    Ok(())
}

/// Runs a program and returns its output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} can't be started"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Prints progress.
#[expect(clippy::print_stderr, reason = "this is what a command line tool does")]
pub(crate) fn say(text: &str) {
    eprintln!("xtask: {text}");
}
