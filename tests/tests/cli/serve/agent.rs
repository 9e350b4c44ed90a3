//! The agent as a process.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use shared_token_cache_tests::cli::{ANYTHING, Cli, program};
use shared_token_cache_tests::sign_in::{GRAPH, MARK, VAULT, username};

const SOON: Duration = Duration::from_secs(20);
const LOG: &str = "agent.log";
const OUTPUT: &str = "agent.out";

/// A policy with two profiles: `vault` for user 0, `graph` for user 1.
pub(crate) fn policy(authority: &str) -> String {
    let profile = |name: &str, scope: &str, number: u32| {
        format!(
            "[[profiles]]\nname = \"{name}\"\nsource = \"shared\"\naccount = \"{}\"\nscopes = [\"{scope}\"]\n",
            username(number)
        )
    };
    let cache = "[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read-write\"\n";
    let (vault, graph) = (profile("vault", VAULT, 0), profile("graph", GRAPH, 1));
    format!("authorities = [\"{authority}\"]\n{ANYTHING}{cache}{vault}{graph}")
}

/// Killed on drop.
pub(crate) struct Agent<'a> {
    cli: &'a Cli,
    log: &'static str,
    process: Child,
}

impl<'a> Agent<'a> {
    /// Starts an agent with this policy.
    pub(crate) fn start(cli: &'a Cli, policy: &str, arguments: &[&str]) -> Self {
        Self::start_with(cli, policy, arguments, &[])
    }

    /// Starts an agent with these variables, and without those of a service manager.
    pub(crate) fn start_with(cli: &'a Cli, policy: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let command = cli.command(&program().unwrap());
        Self::spawn(cli, command, policy, arguments, environment, LOG)
    }

    /// Starts an agent beside another, with a log of its own.
    pub(crate) fn start_logging(cli: &'a Cli, policy: &str, arguments: &[&str], log: &'static str) -> Self {
        Self::spawn(cli, cli.command(&program().unwrap()), policy, arguments, &[], log)
    }

    /// Starts an agent with a limit on open files.
    pub(crate) fn start_limited(cli: &'a Cli, policy: &str, arguments: &[&str], files: u32) -> Self {
        let mut command = cli.command(Path::new("/bin/sh"));
        command.args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")]).arg(program().unwrap());
        Self::spawn(cli, command, policy, arguments, &[], LOG)
    }

    /// Starts an agent in a mount namespace of its own, after the script ran there; `None` if this
    /// user can't create namespaces.
    pub(crate) fn start_in_namespace(cli: &'a Cli, policy: &str, arguments: &[&str], script: &str) -> Option<Self> {
        let unshare = |arguments: &[&str]| {
            let mut command = cli.command(Path::new("/usr/bin/unshare"));
            command.args(["--map-root-user", "--mount"]).args(arguments);
            command
        };
        if !unshare(&["/bin/sh", "-c", "mount -t tmpfs none /mnt"]).status().is_ok_and(|status| status.success()) {
            return None;
        }
        let mut command = unshare(&["/bin/sh", "-ec", &format!("{script}\nexec \"$0\" \"$@\"")]);
        command.arg(program().unwrap());
        Some(Self::spawn(cli, command, policy, arguments, &[], LOG))
    }

    fn spawn(
        cli: &'a Cli,
        mut command: Command,
        policy: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        log: &'static str,
    ) -> Self {
        let policy = cli.write("policy.toml", policy).unwrap();
        command.env_remove("INVOCATION_ID").env_remove("NOTIFY_SOCKET").envs(environment.iter().copied());
        command.env("AZURE_AUTHORITY_HOST", "localhost").args(["serve", "--policy", &policy]).args(arguments);
        command.stdout(File::create(cli.home().join(OUTPUT)).unwrap());
        let process = command.stderr(File::create(cli.home().join(log)).unwrap()).spawn().unwrap();
        Self { cli, log, process }
    }

    /// Polls until the file has this content.
    pub(crate) fn until_file(&self, name: &str, content: &str) {
        self.until(name, || self.cli.read(name).is_ok_and(|text| text == content));
    }

    pub(crate) fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + SOON;
        while !holds() {
            assert!(Instant::now() < deadline, "{what} was waited for: {}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Replaces a file, as other programs do.
    pub(crate) fn write(&self, name: &str, content: &str) {
        let new = self.cli.write(&format!("{name}.new"), content).unwrap();
        fs::rename(new, self.cli.home().join(name)).unwrap();
    }

    /// The URL of the metrics page.
    pub(crate) fn metrics_address(&self) -> String {
        self.until("the address of the metrics", || self.said().contains("/metrics"));
        let said = self.said();
        said.split_once("http://").and_then(|(_, rest)| rest.split_once("/metrics")).unwrap().0.to_owned()
    }

    /// The metrics page.
    pub(crate) fn metrics(&self) -> String {
        let address = self.metrics_address();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("openmetrics-text"), "{head}");
        body.to_owned()
    }

    /// The output so far.
    pub(crate) fn printed(&self) -> String {
        self.cli.read(OUTPUT).unwrap()
    }

    /// Its command line, as every user of the machine may read it.
    pub(crate) fn command_line(&self) -> String {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.process.id())).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The log so far.
    pub(crate) fn said(&self) -> String {
        self.cli.read(self.log).unwrap()
    }

    /// Sends SIGTERM and returns the log, which must not contain a secret.
    pub(crate) fn end(self) -> String {
        self.end_by("TERM")
    }

    /// Sends a signal that ends the agent, and returns the log, which must not contain a secret.
    pub(crate) fn end_by(self, signal: &str) -> String {
        self.signal(signal);
        let (code, said) = self.wait();
        assert_eq!(code, Some(0), "{signal}: {said}");
        assert!(!said.contains(MARK) && !said.contains(".utid-"), "{said}");
        said
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
    }

    /// Waits for the agent's end; returns its exit code and log.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + SOON;
        let status = loop {
            match self.process.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < deadline, "it goes on: {}", self.said()),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        (status.code(), self.said())
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
