//! The program as its users run it: a process with a home folder of its own, and only those
//! environment variables that a test sets.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use token_endpoint::{Received, Reply, TokenEndpoint};
use tokio::runtime::Runtime;

use crate::sign_in::{self, GRAPH};

/// The shared cache, below the home folder.
pub const SHARED: &str = ".IdentityService/msal.cache.nocae";

/// The shared cache of tokens under Continuous Access Evaluation.
pub const SHARED_CAE: &str = ".IdentityService/msal.cache.cae";

/// The Azure CLI's cache.
pub const AZURE_CLI: &str = ".azure/msal_token_cache.json";

/// The start of a policy that does not restrict scopes, tenants, accounts and clients.
pub const ANYTHING: &str = "scopes = [\"*\"]\ntenants = [\"*\"]\naccounts = [\"*\"]\nclient-ids = [\"*\"]\nnetwork.addresses = [\"loopback\"]\n";

/// A home folder, an environment, and the program that runs in them.
#[derive(Debug)]
pub struct Cli {
    home: TempDir,
    environment: BTreeMap<String, String>,
}

/// The result of a run of the program.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Cli {
    /// A program with an empty home folder.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn new() -> io::Result<Self> {
        Ok(Self { home: tempfile::tempdir()?, environment: BTreeMap::new() })
    }

    /// A program whose home folder holds `document` as its shared cache.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn with_shared(document: &str) -> io::Result<Self> {
        let cli = Self::new()?;
        cli.write(SHARED, document)?;
        Ok(cli)
    }

    /// The home folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Sets an environment variable for the runs that follow.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Writes a file of mode 0600; returns its path as a flag's value.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, name: &str, content: &str) -> io::Result<String> {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(self.home.path()))?;
        fs::write(&path, content)?;
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(path.display().to_string())
    }

    /// The text of a file below the home folder.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn read(&self, name: &str) -> io::Result<String> {
        fs::read_to_string(self.home.path().join(name))
    }

    /// A file below the home folder as JSON.
    ///
    /// # Errors
    /// When it can't be read, or is not JSON.
    pub fn read_json(&self, name: &str) -> io::Result<Value> {
        Ok(serde_json::from_str(&self.read(name)?)?)
    }

    /// All files and folders below the home folder.
    ///
    /// # Errors
    /// When they can't be listed.
    pub fn files(&self) -> io::Result<BTreeSet<PathBuf>> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.home.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                found.insert(path.strip_prefix(self.home.path()).unwrap_or(&path).to_path_buf());
            }
        }
        Ok(found)
    }

    /// Runs the program.
    ///
    /// # Errors
    /// When it is missing, or when its output contains a secret.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> io::Result<Run> {
        let output = self.command(&program()?).args(arguments).output()?;
        Run::try_from(output).and_then(Run::without_secrets)
    }

    /// `get-token` for Microsoft Graph at `authority`.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn redeem(&self, authority: &Authority, more: &[&str]) -> io::Result<Run> {
        let (host, ca_file) = (authority.host(), authority.ca_file());
        let mut arguments = vec!["get-token", "--scope", GRAPH, "--authority", &host, "--ca-file", &ca_file];
        arguments.extend(more);
        self.run(&arguments)
    }

    /// `program`, set up to run in the home folder with this environment.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.home.path()).current_dir(self.home.path()).stdin(Stdio::null());
        // On Windows, sockets and Python need SystemRoot.
        for name in ["PATH", "SystemRoot"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.envs(&self.environment);
        command
    }
}

impl Run {
    /// The JSON object on stdout of a run that succeeded with empty stderr.
    ///
    /// # Errors
    /// When it did not.
    pub fn answer(&self) -> io::Result<Value> {
        if self.code != Some(0) || !self.stderr.is_empty() {
            return Err(self.unexpected("an answer"));
        }
        serde_json::from_str(&self.stdout).map_err(|_| self.unexpected("JSON"))
    }

    /// The error object on stderr of a run that ended with `code` and printed nothing.
    ///
    /// # Errors
    /// When it did not.
    pub fn error(&self, code: i32) -> io::Result<Value> {
        if self.code != Some(code) || !self.stdout.is_empty() {
            return Err(self.unexpected(&format!("an error with exit code {code}")));
        }
        // Log lines may precede it.
        let last = self.stderr.lines().last().unwrap_or_default();
        let mut whole: Value = serde_json::from_str(last).map_err(|_| self.unexpected("JSON on stderr"))?;
        whole.get_mut("error").map(Value::take).ok_or_else(|| self.unexpected("an error object"))
    }

    fn without_secrets(self) -> io::Result<Self> {
        // The end of an account's full id, in a cache and in a header. A tenant alone may be
        // printed.
        let unspoken = [sign_in::MARK, ".utid-", "@utid-"];
        let leaks = unspoken.iter().any(|text| self.stderr.contains(text));
        if leaks || self.stdout.contains(&sign_in::refresh_token(0)) {
            return Err(self.unexpected("no secret"));
        }
        Ok(self)
    }

    fn unexpected(&self, wanted: &str) -> io::Error {
        io::Error::other(format!("{wanted} was expected, but the program left {self:#?}"))
    }
}

impl TryFrom<Output> for Run {
    type Error = io::Error;

    fn try_from(output: Output) -> io::Result<Self> {
        let text = |bytes| String::from_utf8(bytes).map_err(io::Error::other);
        Ok(Self { code: output.status.code(), stdout: text(output.stdout)?, stderr: text(output.stderr)? })
    }
}

/// The program's path in cargo's folder, beside the folder of the running test.
///
/// # Errors
/// When it is not there.
pub fn program() -> io::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let program = folder.join(format!("shared-token-cache{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        return Ok(program);
    }
    Err(io::Error::other(format!("{} is missing; `cargo xtask build` builds it", program.display())))
}

/// An authority on this machine, whose CA the program trusts.
#[derive(Debug)]
pub struct Authority {
    endpoint: TokenEndpoint,
    folder: TempDir,
    _runtime: Runtime,
}

impl Authority {
    /// Responds to each request with the result of `respond`.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(respond: impl FnMut(&Received) -> Reply + Send + 'static) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let endpoint = runtime.block_on(TokenEndpoint::start(respond))?;
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("ca.pem"), endpoint.ca_pem())?;
        Ok(Self { endpoint, folder, _runtime: runtime })
    }

    /// Responds to every request with this.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn answering(status: u16, body: Value) -> io::Result<Self> {
        Self::start(move |_| Reply::json(status, body.clone()))
    }

    /// The authority as a flag's value.
    #[must_use]
    pub fn host(&self) -> String {
        format!("localhost:{}", self.endpoint.address().port())
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.endpoint.address()
    }

    /// The file with its CA.
    #[must_use]
    pub fn ca_file(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.endpoint.requests()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_prints_a_secret_fails_whatever_else_it_does() {
        let run = |stdout: String, stderr: String| Run { code: Some(0), stdout, stderr }.without_secrets();
        assert!(run(sign_in::new_access_token(0), "all is well for user0@contoso.com of utid-00000000".into()).is_ok());
        for secret in [
            sign_in::new_access_token(0),
            sign_in::refresh_token(7),
            "uid-00000000.utid-00000000".into(),
            "Oid:uid-00000000@utid-00000000".into(),
        ] {
            assert!(run(String::new(), format!("x {secret} x")).is_err(), "{secret}");
        }
        assert!(run(sign_in::new_refresh_token(0), String::new()).is_err());
    }
}
