//! Static checks of the sources.

use std::path::Path;

use anyhow::Result;

use crate::run::{cargo, run, say};
use crate::{component, dist, tools};

/// The crates that are compiled for WebAssembly.
const COMPONENTS: &[&str] = &[
    "shared-token-cache-guest",
    "shared-token-cache-wasi-adapter",
    "shared-token-cache-hostile",
    "wasmcloud-consumer",
];

const PINGORA: &str = "examples/pingora/Cargo.toml";

/// Runs all checks, up to the first that fails.
pub(crate) fn lint() -> Result<()> {
    say("format");
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["fmt", "--check", "--manifest-path", PINGORA]))?;
    component::build_artefacts()?;
    say("lints");
    let deny = ["--all-targets", "--", "-D", "warnings"];
    run(cargo().args(["clippy", "--release"]).args(deny))?;
    run(cargo().args(["clippy", "--package", "xtask"]).args(deny))?;
    let components = COMPONENTS.iter().flat_map(|name| ["--package", name]);
    run(cargo().args(["clippy", "--release", "--target", component::TARGET]).args(components).args(deny))?;
    say("rustdoc");
    run(cargo().env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--release", "--no-deps"]))?;
    say("the contract");
    dist::check_against_released()?;
    say("dependencies");
    check_dependencies("deny", "0.20.2", &["check", "bans", "licenses", "sources"])?;
    let pingora = ["--manifest-path", PINGORA, "--config", "deny.toml", "check", "bans", "licenses", "sources"];
    check_dependencies("deny", "0.20.2", &pingora)?;
    check_dependencies("machete", "0.9.1", &[])
}

/// Runs a check of dependencies, or prints that its tool can't be installed.
fn check_dependencies(tool: &str, version: &str, arguments: &[&str]) -> Result<()> {
    match tools::cargo_tool(tool, version) {
        Ok(program) => {
            // By cargo, as some tools take their own name for an argument otherwise.
            let own = program.parent().filter(|folder| !folder.as_os_str().is_empty());
            let mut folders: Vec<_> = own.map(Path::to_owned).into_iter().collect();
            folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
            run(cargo().env("PATH", std::env::join_paths(folders)?).arg(tool).args(arguments))
        }
        Err(why) => {
            say(&format!("skipped: cargo {tool}, because {why:#}"));
            Ok(())
        }
    }
}
