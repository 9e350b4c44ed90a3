//! The fuzz targets, one after the other, each for a short time.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::python::with_azure_identity;
use crate::run::{cargo, output, root, run, say};
use crate::tools::cargo_tool;

/// The target whose documents other tools must be able to read.
const WRITES: &str = "replace";

const CARGO_FUZZ: &str = "0.13.2";

/// Runs all targets, or the named ones, each for some seconds. A finding fails the command.
pub(crate) fn run_targets(seconds: u64, address: bool, named: &[String]) -> Result<()> {
    let all = targets()?;
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {unknown:?}; choose among {}", all.join(", "));
    }
    let skipped = |why: anyhow::Error| {
        say(&format!("skipped: the fuzz targets, because {why:#}"));
        Ok(())
    };
    let fuzzer = match Fuzzer::new(address) {
        Ok(fuzzer) => fuzzer,
        Err(why) => return skipped(why),
    };
    if let Err(why) = fuzzer.build() {
        // Targets that don't compile are an error, and no reason to skip.
        run(cargo().args(["check", "--quiet", "--manifest-path"]).arg(folder().join("Cargo.toml")))?;
        return skipped(why);
    }
    let chosen = all.iter().filter(|target| named.is_empty() || named.contains(target));
    let found: Vec<String> =
        chosen.filter_map(|target| fuzzer.fuzz(target, seconds).err()).map(|why| format!("{why:#}")).collect();
    if !found.is_empty() {
        bail!("{}", found.join("\n"));
    }
    if named.is_empty() || named.iter().any(|name| name == WRITES) { load_with_msal(&fuzzer) } else { Ok(()) }
}

/// Stores the documents that the vault writes for the corpus of [`WRITES`], and has MSAL for Python
/// load all of them.
fn load_with_msal(fuzzer: &Fuzzer) -> Result<()> {
    let python = match with_azure_identity() {
        Ok(python) => python,
        Err(why) => {
            say(&format!("skipped: MSAL on what {WRITES} wrote, because {why:#}"));
            return Ok(());
        }
    };
    let written = root().join("target/fuzz/written");
    if written.exists() {
        fs::remove_dir_all(&written)?;
    }
    fs::create_dir_all(&written)?;
    let (corpus, seeds) = (folder().join("corpus").join(WRITES), folder().join("seeds").join(WRITES));
    let mut replay = fuzzer.command("run");
    replay.arg(WRITES).args([&corpus, &seeds]).args(["--", "-runs=0"]).env("WRITTEN_DOCUMENTS", &written);
    output(&mut replay).with_context(|| format!("the corpus of {WRITES} can't be replayed"))?;
    let count = output(Command::new(python).arg(folder().join("load_with_msal.py")).arg(&written))?;
    let (count, seeds) = (count.trim().parse::<usize>()?, fs::read_dir(&seeds)?.count());
    if count < seeds {
        bail!("{WRITES}: its {seeds} seeds make the vault store only {count} documents");
    }
    say(&format!("{WRITES}: MSAL for Python loads each of {count} documents that were stored"));
    Ok(())
}

/// The names of the targets.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in fs::read_dir(folder().join("fuzz_targets"))? {
        names.extend(file?.path().file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn folder() -> PathBuf {
    root().join("fuzz")
}

/// cargo-fuzz, with or without AddressSanitizer.
struct Fuzzer {
    program: PathBuf,
    address: bool,
}

impl Fuzzer {
    fn new(address: bool) -> Result<Self> {
        if output(Command::new("c++").arg("--version")).is_err() {
            bail!("there is no C++ compiler, and libFuzzer is C++");
        }
        Ok(Self { program: cargo_tool("fuzz", CARGO_FUZZ)?, address })
    }

    fn build(&self) -> Result<()> {
        say("building the fuzz targets");
        run(&mut self.command("build")).context("they can't be built")
    }

    /// Without a sanitizer, the compiler needs no unstable option, so the pinned one serves, and
    /// the targets run some five times as often. AddressSanitizer needs one: a nightly compiler
    /// accepts it, and the pinned one with `RUSTC_BOOTSTRAP`.
    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(root()).args(["fuzz", verb, "--target-dir"]);
        command.arg(root().join("target/fuzz").join(if self.address { "address" } else { "none" }));
        command.args(["--sanitizer", if self.address { "address" } else { "none" }]);
        if self.address {
            match nightly() {
                // The variable names the cargo of the pinned compiler.
                true => command.env("RUSTUP_TOOLCHAIN", "nightly").env_remove("CARGO"),
                false => command.env("RUSTC_BOOTSTRAP", "1"),
            };
        }
        command
    }

    fn fuzz(&self, target: &str, seconds: u64) -> Result<()> {
        let (corpus, seeds) = (folder().join("corpus").join(target), folder().join("seeds").join(target));
        fs::create_dir_all(&corpus)?;
        let log = root().join("target/fuzz").join(format!("{target}.log"));
        let mut command = self.command("run");
        command.arg(target).args([&corpus, &seeds]).arg("--");
        command.args([format!("-max_total_time={seconds}"), "-timeout=30".into()]);
        command.arg(format!("-dict={}", dictionary(target).display()));
        let status = command.stderr(File::create(&log)?).status().context("cargo-fuzz can't be started")?;
        let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        if status.success() {
            say(&format!("{target}: {}", summary(&text)));
            return Ok(());
        }
        let reproducer = text.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path);
        match reproducer {
            Some(path) => bail!("{target}: {}\n  reproducer: {path}\n  log: {}", panic_of(&text), log.display()),
            None => bail!("{target} could not run: {status}; see {}", log.display()),
        }
    }
}

fn nightly() -> bool {
    output(Command::new("rustup").args(["toolchain", "list"])).is_ok_and(|list| list.contains("nightly-"))
}

/// Most targets read JSON.
fn dictionary(target: &str) -> PathBuf {
    let own = folder().join(format!("{target}.dict"));
    if own.is_file() { own } else { folder().join("json.dict") }
}

/// The last report of libFuzzer.
fn summary(log: &str) -> String {
    let done = log.lines().rev().find(|line| line.starts_with("Done ")).unwrap_or_default();
    let progress = log.lines().rev().find_map(|line| line.split_once("cov: ")).unwrap_or_default().1;
    let coverage = progress.split(' ').next().unwrap_or_default();
    let corpus = progress.split_once("corp: ").unwrap_or_default().1.split('/').next().unwrap_or_default();
    format!("{done}, coverage {coverage}, corpus {corpus}")
}

/// The beginning of the target's output.
fn panic_of(log: &str) -> String {
    let mut lines = log.lines().skip_while(|line| !line.contains("panicked at"));
    let said: Vec<_> = lines.by_ref().take(2).map(|line| line.chars().take(200).collect::<String>()).collect();
    if said.is_empty() { "it crashed, hung, or took too much memory".into() } else { said.join(" ") }
}
