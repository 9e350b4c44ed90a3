//! Packages the crates as for publication (`cargo package`), and builds programs from the packages
//! alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::component;
use crate::run::{cargo, output, quick_cargo, quick_target, root, run, say};

/// The published crates in the order of their dependencies.
const PUBLISHED: &[&str] = &[
    "shared-token-cache-entra",
    "shared-token-cache-component",
    "shared-token-cache-policy",
    "shared-token-cache-vault",
    "shared-token-cache-storage",
    "shared-token-cache-sds",
    "shared-token-cache-token-endpoint",
    "shared-token-cache",
    "shared-token-cache-cli",
];

/// The largest package that crates.io accepts, in bytes.
const LARGEST: u64 = 10 << 20;

const EMBEDDER: &str = r#"[package]
name = "embedder"
version = "0.0.0"
edition = "2024"

[dependencies]
shared-token-cache = "0.1.0"
tokio = { version = "1", features = ["macros", "rt"] }

[workspace]
"#;

const COMMAND: &str = r#"[workspace]
members = ["packages/shared-token-cache-cli-*"]
resolver = "3"
"#;

/// Packages the crates, with the component compiled for all targets on request, and builds an
/// embedding program and the command from the packages alone.
pub(crate) fn package(all_targets: bool) -> Result<()> {
    if all_targets {
        component::build_artefacts_for_all_targets()?;
    } else {
        component::build_artefacts()?;
    }
    let empty = root().join("target/packaged");
    drop(fs::remove_dir_all(&empty));
    let packages = empty.join("packages");
    fs::create_dir_all(&packages)?;
    let mut patches = String::from("\n[patch.crates-io]\n");
    for (name, file) in pack()? {
        let size = fs::metadata(&file)?.len();
        say(&format!("{:>9} bytes  {}", size, file.strip_prefix(root()).unwrap_or(&file).display()));
        if size > LARGEST {
            bail!("{} is larger than crates.io takes ({LARGEST} bytes)", file.display());
        }
        // With the current time on each file: cargo rebuilds a package if a file is newer than the
        // build.
        run(Command::new("tar").arg("-xzmf").arg(&file).arg("-C").arg(&packages))?;
        let folder = file.file_stem().context("a package has a name")?.to_string_lossy().into_owned();
        patches.push_str(&format!("{name} = {{ path = \"packages/{folder}\" }}\n"));
    }
    build_command(&empty, &patches)?;
    build_embedder(&empty, &patches)
}

/// Makes the packages; returns each name with its file.
fn pack() -> Result<Vec<(&'static str, PathBuf)>> {
    let version = version()?;
    let mut pack = cargo();
    // `--allow-dirty`: the artefacts are not committed. `--no-verify`: the packages are built below,
    // with one engine for all.
    pack.args(["package", "--no-verify", "--allow-dirty", "--quiet"]);
    for name in PUBLISHED {
        pack.args(["--package", name]);
    }
    run(&mut pack)?;
    let folder = root().join("target/package");
    Ok(PUBLISHED.iter().map(|name| (*name, folder.join(format!("{name}-{version}.crate")))).collect())
}

fn version() -> Result<String> {
    let id = output(cargo().args(["pkgid", "--package", "shared-token-cache"]))?;
    let version = id.trim().rsplit(['#', '@']).next().context("a package has a version")?;
    Ok(version.to_owned())
}

/// Builds the example of an embedder in a folder of its own. Its build has wasmtime once, and no
/// WebAssembly compiler.
fn build_embedder(empty: &Path, patches: &str) -> Result<()> {
    say("building a program that embeds the library from its packages");
    fs::create_dir_all(empty.join("src"))?;
    fs::write(empty.join("Cargo.toml"), format!("{EMBEDDER}{patches}"))?;
    for (from, to) in [("embed.rs", "src/main.rs"), ("policy.toml", "src/policy.toml")] {
        fs::copy(root().join("examples/rust").join(from), empty.join(to))?;
    }
    let built = build(empty, &["build"])?;
    let compiled = |name: &str| built.iter().filter(|package| package.as_str() == name).count();
    if compiled("wasmtime") != 1 || compiled("cranelift-codegen") != 0 {
        bail!(
            "the embedder's build compiles wasmtime {} time(s) and cranelift {} time(s)",
            compiled("wasmtime"),
            compiled("cranelift-codegen")
        );
    }
    say(&format!("the embedder's build: {} crates, wasmtime once, no cranelift", built.len()));
    let home = empty.join("home");
    run(program("shared-token-cache").args(["demo", "--home"]).arg(&home).stdout(Stdio::null()))?;
    let mut embedder = program("embedder");
    embedder.env("HOME", &home).env_remove("XDG_DATA_HOME").env("DBUS_SESSION_BUS_ADDRESS", "");
    let printed = output(&mut embedder)?;
    if !printed.starts_with("a token that serves until") {
        bail!("the embedder has no token: {printed}");
    }
    say("the embedder has the token that is cached in the demo's home");
    Ok(())
}

/// Builds the command from its package and shows its demo.
fn build_command(empty: &Path, patches: &str) -> Result<()> {
    say("building the command from its packages");
    let packages = empty.join("packages");
    let version = version()?;
    let cli = packages.join(format!("shared-token-cache-cli-{version}"));
    // The versions that this repository was tested with, as `cargo install --locked` uses them.
    if !cli.join("Cargo.lock").is_file() {
        bail!("the package of the command has no Cargo.lock");
    }
    fs::write(empty.join("Cargo.toml"), format!("{COMMAND}{patches}"))?;
    build(empty, &["build", "--bin", "shared-token-cache"])?;
    run(program("shared-token-cache").arg("demo").stdout(Stdio::null()))?;
    say("the command is built from its packages, and its demo works");
    Ok(())
}

/// A built program.
fn program(name: &str) -> Command {
    Command::new(quick_target().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// Builds in `folder`, without optimisation; returns the names of the compiled library packages,
/// once per compilation.
fn build(folder: &Path, arguments: &[&str]) -> Result<Vec<String>> {
    let mut cargo = quick_cargo();
    cargo.current_dir(folder);
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    cargo.args(arguments).args(["--message-format", "json-render-diagnostics"]);
    let printed = output(&mut cargo)?;
    let mut names = Vec::new();
    for line in printed.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        let kind = message.pointer("/target/kind/0").and_then(serde_json::Value::as_str);
        if message.pointer("/reason").is_some_and(|reason| reason == "compiler-artifact") && kind == Some("lib") {
            let name = message.pointer("/target/name").and_then(serde_json::Value::as_str).unwrap_or_default();
            names.push(name.replace('_', "-"));
        }
    }
    Ok(names)
}
