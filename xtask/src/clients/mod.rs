//! Programs of others that get tokens from the product's program, unchanged: `cargo xtask test clients [NAME…]`.
//!
//! A *leg* is a program, or the sandbox of `cargo xtask try broker`, or the recipes of the
//! documentation. It is skipped where its program can't be installed. None asserts on time.

pub(crate) mod broker;
mod cloud;
mod load;
mod recipes;
mod sandbox;
mod sdks;
mod tools;
mod world;

use anyhow::{Result, bail};

use world::World;

/// What a leg does once its program is installed.
type Checks = Box<dyn Fn(&mut Report) -> Result<()>>;

/// Installs the program of a leg.
type Install = fn() -> Result<Checks>;

/// The legs by name.
const LEGS: [(&str, Install); 11] = [
    ("sandbox", broker::install),
    ("python", sdks::python),
    ("javascript", sdks::javascript),
    ("rust", sdks::rust),
    ("az", tools::az),
    ("azcopy", tools::azcopy),
    ("azd", tools::azd),
    ("git", tools::git),
    ("kubectl", tools::kubectl),
    ("recipes", recipes::install),
    ("load", load::install),
];

/// The legs that run only by their name, because their figures need a machine without other work.
const ON_REQUEST: [&str; 1] = ["load"];

/// Runs the legs whose name begins with one of `names`, or all that need no request.
pub(crate) fn test(names: &[String]) -> Result<()> {
    let wanted = |name: &str| match names {
        [] => !ON_REQUEST.contains(&name),
        names => names.iter().any(|start| name.starts_with(start.as_str())),
    };
    let legs: Vec<_> = LEGS.iter().filter(|(name, _)| wanted(name)).collect();
    if legs.is_empty() {
        bail!("no leg's name begins with {}; there are {}", names.join(" or "), LEGS.map(|(name, _)| name).join(", "));
    }
    // Without the program there is nothing to test, and every leg would say so.
    World::new()?;
    let mut report = Report::default();
    for (name, install) in legs {
        show(&format!("\n{name}:"));
        match install() {
            Ok(checks) => {
                if let Err(why) = checks(&mut report) {
                    report.add("the leg", Err(why));
                }
            }
            Err(why) => report.skip(name, &why),
        }
    }
    report.finish()
}

/// The results.
#[derive(Default)]
pub(crate) struct Report {
    passed: usize,
    failed: usize,
    skipped: Vec<String>,
}

impl Report {
    /// Records what was checked.
    fn add(&mut self, what: &str, outcome: Result<()>) {
        match outcome {
            Ok(()) => {
                self.passed += 1;
                show(&format!("  ok      {what}"));
            }
            Err(why) => {
                self.failed += 1;
                show(&format!("  FAILED  {what}: {why:#}"));
            }
        }
    }

    fn skip(&mut self, name: &str, why: &anyhow::Error) {
        show(&format!("  skipped: {why:#}"));
        self.skipped.push(name.to_owned());
    }

    fn finish(&self) -> Result<()> {
        let skipped = if self.skipped.is_empty() { "none".to_owned() } else { self.skipped.join(", ") };
        show(&format!("\n{} checks passed, {} failed; legs skipped: {skipped}", self.passed, self.failed));
        if self.failed > 0 { bail!("{} checks failed", self.failed) } else { Ok(()) }
    }
}

/// An error unless two values are equal.
fn same(what: &str, found: &str, expected: &str) -> Result<()> {
    if found != expected {
        bail!("{what} is {found:?}, and {expected:?} was expected");
    }
    Ok(())
}

/// An error unless a text has each of these parts.
fn has(text: &str, parts: &[&str]) -> Result<()> {
    match parts.iter().find(|part| !text.contains(**part)) {
        Some(part) => bail!("{text:?} lacks {part:?}"),
        None => Ok(()),
    }
}

#[expect(clippy::print_stdout, reason = "results are what these commands are for")]
fn show(line: &str) {
    println!("{line}");
}
