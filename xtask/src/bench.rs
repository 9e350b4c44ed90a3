//! The cost of calls: by the clock, and in instructions, which are the same on a busy machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::python;
use crate::run::{cargo, output, root, run, say};

/// Where the figures are kept that changes are compared with.
const KEPT: &str = "benches/instructions.md";

/// How much more a figure may be than the one that is kept, in percent.
const TOLERANCE: i64 = 10;

/// The counted work: its name, the argument of `bench repeat`, and its repetitions in the shorter and in the longer of two runs.
const COUNTED: &[(&str, &str, u32, u32)] =
    &[("a warm call", "warm", 1_000, 2_000), ("a first call with 1,000 accounts", "first", 1, 3)];

/// The package of Node that is timed.
const AZURE_IDENTITY_NODE: &str = "@azure/identity@4.14.1";

/// Times all rows; the example writes the report. With `keep`, the report is copied to `benches`.
pub(crate) fn report(keep: bool) -> Result<()> {
    let mut command = Command::new(example("shipped")?);
    command.env("BENCH_PROGRAM", programs("shipped").join("shared-token-cache"));
    for (variable, peer, name) in [
        ("AZURE_IDENTITY_PYTHON", python::with_azure_identity(), "azure-identity"),
        ("AZURE_IDENTITY_NODE", with_azure_identity_node(), "@azure/identity"),
    ] {
        match peer {
            Ok(peer) => drop(command.env(variable, peer)),
            Err(why) => say(&format!("skipped: the rows of {name}, because {why:#}")),
        }
    }
    run(&mut command)?;
    if keep {
        for file in ["report.md", "chart.svg"] {
            fs::copy(root().join("target/bench").join(file), root().join("benches").join(file))?;
        }
    }
    Ok(())
}

/// A folder with @azure/identity for Node.
fn with_azure_identity_node() -> Result<PathBuf> {
    let folder = root().join("target/interop/node");
    if !folder.join("node_modules/@azure/identity").is_dir() {
        fs::create_dir_all(&folder)?;
        let npm = ["install", "--silent", "--no-fund", "--no-audit", AZURE_IDENTITY_NODE, "--prefix"];
        output(Command::new("npm").args(npm).arg(&folder)).context("it can't be installed")?;
    }
    Ok(folder)
}

/// Counts instructions, and compares with the stored numbers. With `keep` it stores the new numbers.
pub(crate) fn instructions(keep: bool) -> Result<()> {
    if !python::is_in_path("valgrind") {
        bail!("there is no valgrind in PATH (Debian: apt-get install valgrind)");
    }
    let example = example("release")?;
    let mut figures = BTreeMap::new();
    for (name, work, few, many) in COUNTED {
        let count = |times: &u32| count(&example, &["repeat", work, &times.to_string()]);
        figures.insert(*name, (count(many)? - count(few)?) / i64::from(many - few));
    }
    let program = programs("release").join("shared-token-cache");
    figures.insert("the start of a process", count(&program, &["supported"])?);
    let file = root().join(KEPT);
    let tools = tools()?;
    if keep {
        return Ok(fs::write(file, page(&tools, &figures))?);
    }
    let kept = fs::read_to_string(&file)
        .with_context(|| format!("cannot read {KEPT}; `cargo xtask bench --instructions --keep` writes it"))?;
    if !kept.contains(&tools) {
        say(&format!("skipped: the comparison with {KEPT}, because its figures are not of {tools}"));
        return Ok(());
    }
    let mut slower = Vec::new();
    for (name, figure) in &figures {
        let before = kept_figure(&kept, name).with_context(|| format!("{KEPT} has no figure for {name}"))?;
        let percent = (figure - before) * 100 / before.max(1);
        say(&format!("{name:<40} {figure:>12} instructions, {percent:+} %"));
        if percent > TOLERANCE {
            slower.push(*name);
        }
    }
    if !slower.is_empty() {
        let slower = slower.join(", ");
        bail!(
            "slower by more than {TOLERANCE} %: {slower}; if that has to be, run `cargo xtask bench --instructions --keep`"
        );
    }
    Ok(())
}

/// Builds the command and the example in a profile, and gives the example's path.
fn example(profile: &str) -> Result<PathBuf> {
    run(cargo().args(["build", "--profile", profile, "--bin", "shared-token-cache", "--example", "bench"]))?;
    Ok(programs(profile).join("examples/bench"))
}

fn programs(profile: &str) -> PathBuf {
    root().join("target").join(profile)
}

/// The instructions of one run of a program.
fn count(program: &Path, arguments: &[&str]) -> Result<i64> {
    let log = root().join("target/bench/callgrind.log");
    fs::create_dir_all(root().join("target/bench"))?;
    let mut command = Command::new("valgrind");
    // The machine code of the component is loaded as data, and run.
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--smc-check=all-non-file"]);
    command.arg(format!("--log-file={}", log.display())).arg(program).args(arguments);
    output(&mut command)?;
    let text = fs::read_to_string(log)?;
    let collected = text.lines().find_map(|line| line.split_once("Collected :")).map(|(_, count)| count.trim());
    collected.and_then(|count| count.parse().ok()).context("callgrind counted nothing")
}

/// The tools that a figure depends on.
fn tools() -> Result<String> {
    let valgrind = output(Command::new("valgrind").arg("--version"))?;
    let rustc = output(Command::new("rustc").arg("--version").current_dir(root()))?;
    let processor = std::env::consts::ARCH;
    Ok(format!("{}, {}, {processor}", valgrind.trim(), rustc.trim()))
}

fn page(tools: &str, figures: &BTreeMap<&str, i64>) -> String {
    let mut page = format!(
        "# Instructions\n\n`cargo xtask bench --instructions` counts with callgrind, in the profile `release`. It fails where a \
         figure\nexceeds the one below by more than {TOLERANCE} %, and compares nothing with other tools. `--keep` writes\nthis \
         file.\n\n{tools}\n\n| what | instructions |\n|---|---:|\n"
    );
    for (name, figure) in figures {
        page.push_str(&format!("| {name} | {figure} |\n"));
    }
    page
}

fn kept_figure(page: &str, name: &str) -> Option<i64> {
    let start = format!("| {name} | ");
    page.lines().find_map(|line| line.strip_prefix(&start)?.trim_end_matches(" |").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_the_figures_that_it_was_made_of() {
        let figures = BTreeMap::from([("a warm call", 9_000), ("the start of a process", 12_000_000)]);
        let page = page("valgrind-3.24.0", &figures);
        for (name, figure) in &figures {
            assert_eq!(kept_figure(&page, name), Some(*figure));
        }
        assert_eq!(kept_figure(&page, "a call"), None);
    }
}
