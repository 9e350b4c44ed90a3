//! Runs every case in `tests/cases`: one trial per case and runner.

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use shared_token_cache_tests::case::{Case, load_all};
use shared_token_cache_tests::{component, guest_memory, native};

/// A runner of cases.
type Runner = fn(&Case) -> Result<(), String>;

/// The runners of every case.
const RUNNERS: [(&str, Runner); 2] = [("core", native::run), ("component", component::run)];

#[expect(clippy::print_stdout, reason = "figures are printed where the results are")]
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let conclusion = libtest_mimic::run(&arguments, trials());
    println!("{}", guest_memory::figures());
    conclusion.exit_code()
}

fn trials() -> Vec<Trial> {
    let cases = match load_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")) {
        Ok(cases) if !cases.is_empty() => cases,
        Ok(_) => return vec![failure("cases", "there are none".into())],
        Err(error) => return vec![failure("cases", error.to_string())],
    };
    let mut trials = Vec::new();
    for (name, case) in cases {
        for (runner, run) in RUNNERS {
            let title = format!("{runner}::{name}");
            trials.push(match &case {
                Ok(case) => {
                    let case = case.clone();
                    Trial::test(title, move || run(&case).map_err(Failed::from))
                }
                Err(problem) => failure(&title, problem.clone()),
            });
        }
    }
    trials
}

fn failure(title: &str, problem: String) -> Trial {
    Trial::test(title, move || Err(problem.into()))
}
