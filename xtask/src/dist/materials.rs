//! The software bill of materials: CycloneDX, by `cargo cyclonedx`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::run::{output, root, run, say};
use crate::tools::cargo_tool;

/// The name of the files that the tool writes, without their ending.
const STEM: &str = "bill-of-materials";

/// The packages that are published, each with its folder.
const PUBLISHED: &[(&str, &str)] =
    &[("shared-token-cache-guest", "guest/component"), ("shared-token-cache-wasi-adapter", "guest/wasi-adapter")];

/// The bills as file names and texts; none if the tool can't be installed.
pub(super) fn bills() -> Result<Vec<(String, String)>> {
    let tool = match cargo_tool("cyclonedx", "0.5.9") {
        Ok(tool) => tool,
        Err(why) => {
            say(&format!("skipped: the bill of materials, because {why:#}"));
            return Ok(Vec::new());
        }
    };
    // Dependencies for the component's target alone.
    let mut bill = std::process::Command::new(&tool);
    bill.args(["cyclonedx", "--quiet", "--format", "json", "--target", "wasm32-unknown-unknown"]);
    // The commit's time makes the bill reproducible.
    if let Ok(time) = output(std::process::Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root()))
    {
        bill.env("SOURCE_DATE_EPOCH", time.trim());
    }
    let made = run(bill.args(["--override-filename", STEM]).current_dir(root()));
    let bills = made.and_then(|()| PUBLISHED.iter().map(|(package, folder)| read(package, folder)).collect());
    clean(&root())?;
    bills
}

/// A package's bill, under the package's published name, without local paths.
fn read(package: &str, folder: &str) -> Result<(String, String)> {
    let path = root().join(folder).join(format!("{STEM}.json"));
    let text = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
    let text = text.replace(&format!("{}", root().display()), "");
    Ok((format!("{}.cdx.json", package.trim_end_matches("-guest")), text))
}

/// Removes the bills that the tool writes beside every package's manifest, published or not.
fn clean(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_source = !["target", ".git", "node_modules"].iter().any(|other| name == *other);
        if entry.file_type()?.is_dir() && is_source {
            clean(&entry.path())?;
        } else if name == format!("{STEM}.json").as_str() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
