//! `policy check`, `policy show` and `policy schema`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use shared_token_cache::HostSettings;
use shared_token_cache::policy::{Policy, Problem};

use super::arguments::{CheckPolicy, ListForm, PolicyCommand, ShowPolicy};
use super::credential;
use super::output::{Failure, print, print_document, print_json};

pub(super) fn run(command: PolicyCommand) -> Result<ExitCode, Failure> {
    match command {
        PolicyCommand::Check(arguments) => check(&arguments),
        PolicyCommand::Show(arguments) => show(&arguments),
        PolicyCommand::Schema => print_document(Policy::json_schema()).map(|()| ExitCode::SUCCESS),
    }
}

/// Prints all errors of a document as `FILE:LINE:COLUMN: …`, like a compiler.
fn check(arguments: &CheckPolicy) -> Result<ExitCode, Failure> {
    let file = &arguments.file;
    let text = credential::read_policy(file)?;
    let error = Policy::from_toml(&text).err();
    let problems = error.as_ref().map(|error| error.problems()).unwrap_or_default();
    let doubts = Policy::doubts(&text);
    match arguments.output {
        ListForm::Json => print_json(&to_json(file, problems, &doubts))?,
        ListForm::Text => {
            for doubt in &doubts {
                print(&format!("{}:{}", credential::shown(file), warning(doubt)))?;
            }
            if problems.is_empty() {
                print(&format!("{}: ok", credential::shown(file)))?;
            }
            for problem in problems {
                print(&format!("{}:{problem}", credential::shown(file)))?;
            }
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Prints the policy of `get-token` with these options, as a document.
fn show(arguments: &ShowPolicy) -> Result<ExitCode, Failure> {
    let policy = match &arguments.policy {
        Some(path) => credential::from_file(path)?,
        None => {
            let settings = HostSettings::from_env().map_err(Failure::invalid)?;
            let authority = arguments.authority.as_deref();
            credential::built_in(&arguments.cache_name, &arguments.source, authority, &settings)?
        }
    };
    print_document(&policy.to_toml())?;
    Ok(ExitCode::SUCCESS)
}

/// A warning in the form of a compiler's, with its position.
fn warning(doubt: &Problem) -> String {
    let Problem { line, column, field, what, instead, .. } = doubt;
    format!("{line}:{column}: warning: `{field}`: {what}; {instead}")
}

fn to_json(file: &Path, problems: &[Problem], doubts: &[Problem]) -> Value {
    json!({ "file": credential::shown(file), "problems": listed(problems), "warnings": listed(doubts) })
}

fn listed(problems: &[Problem]) -> Vec<Value> {
    problems
        .iter()
        .map(|problem| {
            json!({
                "line": problem.line,
                "column": problem.column,
                "field": problem.field,
                "what": problem.what,
                "instead": problem.instead,
            })
        })
        .collect()
}
