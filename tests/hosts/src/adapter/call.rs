//! Calls of `get-token` on the wasmtime command line, each with folders and variables of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use shared_token_cache_interop::process::{Finished, run};
use shared_token_cache_interop::sign_in::Home;
use tempfile::TempDir;
use token_endpoint::sign_in::{MARK, VAULT, new_access_token};

use crate::outcome::Outcome;
use crate::scenario::{is_error, is_token};
use crate::wave;

const LIMIT: Duration = Duration::from_secs(120);

/// The component's path of the home folder.
pub(super) const HOME: &str = "/home/user0";

/// The wasmtime command line and its component.
pub(super) struct Cli {
    pub(super) program: PathBuf,
    pub(super) component: PathBuf,
    /// wasmtime's folder for the compiled component.
    cache: TempDir,
}

impl Cli {
    pub(super) fn new(program: &Path, component: &Path) -> Result<Self> {
        Ok(Self { program: program.to_owned(), component: component.to_owned(), cache: tempfile::tempdir()? })
    }

    /// A call with this home folder granted, `HOME`, and an authority over plain HTTP.
    pub(super) fn call(&self, home: &Home, authority: &str) -> Call<'_> {
        Call {
            cli: self,
            start: Vec::new(),
            options: Vec::new(),
            folders: vec![(home.path().to_owned(), HOME.to_owned())],
            variables: vec![("HOME".into(), HOME.into())],
            environment: Vec::new(),
            folder: home.path().to_owned(),
            scope: VAULT.to_owned(),
        }
        .set("AZURE_AUTHORITY_HOST", authority)
        .set("SHARED_TOKEN_CACHE_PLAIN_HTTP", authority)
    }
}

pub(super) struct Call<'a> {
    cli: &'a Cli,
    start: Vec<String>,
    options: Vec<&'static str>,
    folders: Vec<(PathBuf, String)>,
    variables: Vec<(String, String)>,
    environment: Vec<(&'static str, String)>,
    folder: PathBuf,
    scope: String,
}

impl Call<'_> {
    pub(super) fn scope(mut self, scope: &str) -> Self {
        scope.clone_into(&mut self.scope);
        self
    }

    /// Sets a variable of the component.
    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        self = self.unset(name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn unset(mut self, name: &str) -> Self {
        self.variables.retain(|(other, _)| other != name);
        self
    }

    /// Sets a variable of wasmtime itself.
    #[cfg(target_os = "linux")]
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Grants these folders and no others, each under a name.
    pub(super) fn folders(mut self, folders: &[(&Path, &str)]) -> Self {
        self.folders = folders.iter().map(|(path, name)| ((*path).to_owned(), (*name).to_owned())).collect();
        self
    }

    /// Starts wasmtime through a script that ends in `"$@"`.
    #[cfg(unix)]
    pub(super) fn through(mut self, script: &str) -> Self {
        self.start = ["sh", "-c", script, "sh"].map(str::to_owned).to_vec();
        self
    }

    #[cfg(target_os = "linux")]
    pub(super) fn options(mut self, options: &[&'static str]) -> Self {
        self.options.extend(options);
        self
    }

    pub(super) fn command(&self) -> Command {
        let program = self.cli.program.to_string_lossy().into_owned();
        let mut parts = self.start.iter().chain([&program]);
        let mut command = Command::new(parts.next().map_or("", String::as_str));
        command.args(parts).args(["run", "-S", "http"]).args(&self.options).current_dir(&self.folder);
        command.env("XDG_CACHE_HOME", self.cli.cache.path()).envs(self.environment.iter().cloned());
        for (path, name) in &self.folders {
            command.arg("--dir").arg(format!("{}::{name}", path.display()));
        }
        for (name, value) in &self.variables {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        command.arg("--invoke").arg(format!("get-token([{:?}], none, none)", self.scope)).arg(&self.cli.component);
        command
    }

    pub(super) fn make(self) -> Result<Answer> {
        Answer::of(&run(&mut self.command(), "", LIMIT)?)
    }
}

pub(super) struct Answer {
    pub(super) outcome: Outcome,
    /// The adapter's log.
    pub(super) log: String,
}

impl Answer {
    pub(super) fn of(finished: &Finished) -> Result<Self> {
        let log = finished.stderr.clone();
        ensure!(finished.status.success(), "wasmtime failed ({}): {log}", finished.status);
        ensure!(!log.contains(MARK), "the log holds a secret: {log}");
        ensure!(log.lines().all(|line| line.starts_with("shared-token-cache: ")), "not a log: {log}");
        Ok(Self { outcome: Outcome::from_contract(&wave::read(&finished.stdout)?)?, log })
    }

    /// The outcome is the token that the authority issued.
    pub(super) fn is_new_token(&self) -> Result<()> {
        is_token(&self.outcome, &new_access_token(0)).with_context(|| format!("{:?}; {}", self.outcome, self.log))
    }

    /// The outcome is an error of this kind and reason, whose text has these parts.
    pub(super) fn is_error(&self, kind: &str, reason: Option<&str>, parts: &[&str]) -> Result<()> {
        let error = is_error(&self.outcome, kind, reason).with_context(|| format!("{:?}", self.outcome))?;
        ensure!(!error.message.contains(MARK), "the message holds a secret");
        for part in parts {
            ensure!(error.message.contains(part), "the message does not say {part:?}: {}", error.message);
        }
        Ok(())
    }

    pub(super) fn cannot_read(&self, parts: &[&str]) -> Result<()> {
        self.is_error("credential-unavailable", Some("cache-unavailable"), parts)
    }

    /// The log contains this text.
    pub(super) fn logs(&self, part: &str) -> Result<()> {
        ensure!(self.log.contains(part), "the log does not say {part:?}: {}", self.log);
        Ok(())
    }
}
