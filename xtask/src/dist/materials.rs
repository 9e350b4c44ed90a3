//! The software bill of materials: CycloneDX, by `cargo cyclonedx`.

use std::fs;

use anyhow::{Context as _, Result};

use crate::run::{cargo, output, root, run, say};

const TOOL: &str = "cargo-cyclonedx";
const VERSION: &str = "0.5.9";

/// The packages that are published, each with its folder.
const PUBLISHED: &[(&str, &str)] =
    &[("shared-token-cache-component", "guest/component"), ("shared-token-cache-wasi-adapter", "guest/wasi-adapter")];

/// The bills as file names and texts; none where the tool can't be had.
pub(super) fn bills() -> Result<Vec<(String, String)>> {
    let folder = root().join("target/tools");
    let tool = folder.join("bin").join(format!("{TOOL}{}", std::env::consts::EXE_SUFFIX));
    if output(std::process::Command::new(&tool).args(["cyclonedx", "--version"])).is_err() {
        say(&format!("installing {TOOL} {VERSION} into {}", folder.display()));
        let mut install = cargo();
        install.env("CARGO_TARGET_DIR", folder.join("build")).args(["install", "--quiet", "--locked", "--root"]);
        if let Err(why) = run(install.arg(&folder).arg(format!("{TOOL}@{VERSION}"))) {
            say(&format!("skipped: the bill of materials, because {TOOL} can't be installed: {why:#}"));
            return Ok(Vec::new());
        }
    }
    // What is compiled for the component's target alone; the tool writes beside each package's manifest.
    run(std::process::Command::new(&tool).current_dir(root()).args([
        "cyclonedx",
        "--format",
        "json",
        "--target",
        "wasm32-unknown-unknown",
        "--override-filename",
        "bill-of-materials",
    ]))?;
    let mut bills = Vec::new();
    for (package, folder) in PUBLISHED {
        let path = root().join(folder).join("bill-of-materials.json");
        let text = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
        bills.push((format!("{}.cdx.json", package.trim_end_matches("-component")), text));
    }
    Ok(bills)
}
