//! Tests with other projects' programs. If these are missing, the tests are listed as ignored, with
//! the reason.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use crate::cli::{Authority, Cli};

/// A test: its name, and its function with peers of its own.
pub type Check<P> = (&'static str, fn(&P) -> io::Result<()>);

/// Runs `checks`, each with the peers that `peers` makes for a Python. Without a Python they are
/// ignored.
pub fn run<P: 'static>(
    checks: &[Check<P>],
    python: Result<Python, String>,
    peers: fn(Python) -> io::Result<P>,
) -> ExitCode {
    run_all(trials(checks, python, peers))
}

/// Runs the result of [`trials`].
#[must_use]
pub fn run_all(trials: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The tests of `checks`, as [`run`] runs them.
pub fn trials<P: 'static>(
    checks: &[Check<P>],
    python: Result<Python, String>,
    peers: fn(Python) -> io::Result<P>,
) -> Vec<Trial> {
    if let Err(why) = &python {
        say(&format!("{} tests are ignored: {why}", checks.len()));
    }
    let trials = checks.iter().map(|&(name, check)| {
        let python = python.clone();
        let ignored = python.is_err();
        let run = move || check(&peers(python?)?).map_err(Failed::from);
        Trial::test(name, run).with_ignored_flag(ignored)
    });
    trials.collect()
}

#[expect(clippy::print_stderr, reason = "the reason why these are ignored")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// A Python that has the peers, and the script that runs them.
#[derive(Debug, Clone)]
pub struct Python {
    program: PathBuf,
    script: PathBuf,
}

impl Python {
    /// The Python that an environment variable names, for a script in `tests/interop`.
    ///
    /// # Errors
    /// When the variable is not set, with advice.
    pub fn named_by(variable: &str, script: &str) -> Result<Self, String> {
        let program = std::env::var_os(variable).filter(|value| !value.is_empty());
        let program =
            program.ok_or_else(|| format!("{variable} names no Python that has the peers; see `cargo xtask test`"))?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(script);
        Ok(Self { program: program.into(), script })
    }

    /// The same Python if this statement works in it.
    ///
    /// # Errors
    /// When it fails, with the Python's message.
    pub fn with(self, statement: &str) -> Result<Self, String> {
        let output = std::process::Command::new(&self.program).args(["-c", statement]).output();
        let output = output.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default();
        Err(format!("{} can't run {statement:?}: {last}", self.program.display()))
    }

    /// The Python and the script, as the start of a command line.
    #[must_use]
    pub fn words(&self) -> [String; 2] {
        [&self.program, &self.script].map(|path| path.display().to_string())
    }

    /// Runs a command of the script in the home folder of `cli`; returns the JSON that it prints.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, cli: &Cli, command: &str, arguments: &[&str]) -> io::Result<Value> {
        let output = cli.command(&self.program).arg(&self.script).arg(command).args(arguments).output()?;
        if !output.status.success() {
            return Err(io::Error::other(format!("{command} failed: {}", String::from_utf8_lossy(&output.stderr))));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The value at a JSON pointer of a document (RFC 6901), or null.
#[must_use]
pub fn at<'a>(document: &'a Value, place: &str) -> &'a Value {
    document.pointer(place).unwrap_or(&Value::Null)
}

/// A field of the first form that was posted to `authority`.
#[must_use]
pub fn sent(authority: &Authority, field: &str) -> Value {
    authority.requests().first().and_then(|request| request.field(field)).into()
}

/// All keys of a cache document, with their sections.
#[must_use]
pub fn keys_of(document: &Value) -> BTreeSet<String> {
    let sections = document.as_object().into_iter().flatten();
    let keys = |(section, entries): (&String, &Value)| {
        let keys = entries.as_object().into_iter().flat_map(|entries| entries.keys());
        keys.map(|key| format!("{section} {key}")).collect::<Vec<_>>()
    };
    sections.flat_map(keys).collect()
}

/// Checks that two values are equal.
///
/// # Errors
/// When they differ, with both.
pub fn same<T: PartialEq + Debug + ?Sized>(what: &str, actual: &T, expected: &T) -> io::Result<()> {
    if actual == expected {
        return Ok(());
    }
    Err(io::Error::other(format!("{what}: {actual:#?}, but {expected:#?} was expected")))
}

/// Checks that a text contains all of these parts.
///
/// # Errors
/// When it lacks one, with both.
pub fn has(text: &str, parts: &[&str]) -> io::Result<()> {
    match parts.iter().find(|part| !text.contains(**part)) {
        None => Ok(()),
        Some(part) => Err(io::Error::other(format!("{part:?} is not in {text:?}"))),
    }
}
