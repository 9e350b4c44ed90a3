//! Compares this product with the real azure-identity in random situations from a seed.
//!
//! `AZURE_IDENTITY_PYTHON` names a Python that has it; `cargo xtask test` sets it, and `cargo xtask
//! test reference` runs more situations. `REFERENCE_SEED`, `REFERENCE_COUNT` and `REFERENCE_INDEX`
//! select them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use shared_token_cache_tests::differential::{Report, improvements, run};

const PYTHON: &str = "AZURE_IDENTITY_PYTHON";

/// The number of situations in a run of all tests.
const FEW: u64 = 300;

/// From this number of situations on, every improvement has to occur.
const MANY: u64 = 3000;

/// The number of differences that are printed in full.
const MOST_SHOWN: usize = 5;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let python = std::env::var_os(PYTHON).filter(|value| !value.is_empty()).map(PathBuf::from);
    let ignored = python.is_none();
    if ignored {
        say(&format!(
            "azure-identity is not compared with: {PYTHON} names no Python that has it (`cargo xtask test` does)"
        ));
    }
    let compare = move || compare(&python.unwrap_or_default()).map_err(Failed::from);
    let trial =
        Trial::test("every_difference_from_azure_identity_is_an_improvement", compare).with_ignored_flag(ignored);
    libtest_mimic::run(&arguments, vec![trial]).exit_code()
}

fn compare(python: &Path) -> Result<(), String> {
    let seed = number("REFERENCE_SEED")?.unwrap_or(1);
    let count = number("REFERENCE_COUNT")?.unwrap_or(FEW);
    let index = number("REFERENCE_INDEX")?;
    let indices = index.map_or(0..count, |index| index..index.saturating_add(1));

    let report = run(python, seed, indices).map_err(|error| error.to_string())?;
    for (index, problem) in report.failures.iter().take(MOST_SHOWN) {
        let again = format!("cargo xtask test reference --seed {seed} --index {index}");
        say(&format!("seed {seed}, index {index} (again: `{again}`): {problem}\n"));
    }
    say(&summary(seed, &report));

    let mut problems = Vec::new();
    if !report.failures.is_empty() {
        let indices: Vec<_> = report.failures.iter().map(|(index, _)| index.to_string()).collect();
        problems.push(format!("unexplained differences of seed {seed} at {}", indices.join(", ")));
    }
    if index.is_none() && report.agreeing * 4 < report.situations {
        problems.push("the sides agree completely in less than a quarter of the situations".into());
    }
    let unseen: Vec<_> = improvements().filter(|name| !report.seen.contains_key(name)).collect();
    if index.is_none() && count >= MANY && !unseen.is_empty() {
        problems.push(format!("improvements that were never seen: {}", unseen.join(", ")));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

fn summary(seed: u64, report: &Report) -> String {
    let Report { situations, agreeing, tokens, sending, records, seen, failures } = report;
    let mut lines = vec![
        format!("seed {seed}: {situations} situations, {tokens} with a token, {sending} with a request"),
        format!("{:>6}  have an authentication record", records.0),
        format!("{agreeing:>6}  agree completely, {} of them with a record", records.1),
    ];
    let mut improvements: Vec<_> = seen.iter().collect();
    improvements.sort_by_key(|(name, (count, _))| (std::cmp::Reverse(*count), **name));
    for (name, (count, index)) in improvements {
        lines.push(format!("{count:>6}  {} (as in {index})", name.replace('_', " ")));
    }
    lines.push(format!("reference: {} passed, {} failed", situations - failures.len(), failures.len()));
    lines.join("\n")
}

fn number(variable: &str) -> Result<Option<u64>, String> {
    let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
    value.map(|value| value.parse().map_err(|_| format!("{variable} is no number"))).transpose()
}

#[expect(clippy::print_stderr, reason = "the figures of the comparison")]
fn say(text: &str) {
    eprintln!("{text}");
}
