//! `run`: a command with an endpoint of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use shared_token_cache_tests::cli::{Cli, SHARED, program};
use shared_token_cache_tests::sign_in::{LOCAL, MARK, SignIn, VAULT, access_token, document};

use super::http::endpoint::{Answer, talk};
use super::serve::agent::policy;

fn signed_in() -> Cli {
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL).access_token(VAULT)])).unwrap();
    cli.write("policy.toml", &policy(LOCAL)).unwrap();
    cli.set("AZURE_AUTHORITY_HOST", "localhost");
    cli
}

/// Prints the variables, then waits for a line.
const SHOW: &str = "env; echo end; read line";

/// A running command.
struct Running {
    process: Child,
    variables: Vec<String>,
}

impl Running {
    fn start(cli: &Cli, options: &[&str], script: &str) -> Self {
        // The tests themselves may run with ignored signals, as under `nohup`.
        let mut command = cli.command(Path::new("env"));
        command.arg("--default-signal").arg(program().unwrap());
        command.arg("run").args(options).args(["--", "/bin/sh", "-c", script]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.as_mut().unwrap()).lines().map(Result::unwrap);
        let variables = lines.take_while(|line| line != "end").collect();
        Self { process, variables }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }

    fn ask(&self, key: &str, resource: &str) -> Answer {
        let url = self.get("IDENTITY_ENDPOINT").unwrap();
        let address = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/msi/token")).unwrap();
        let query = format!("api-version=2019-08-01&resource={resource}");
        let request = format!("GET /msi/token?{query} HTTP/1.1\r\nhost: {address}\r\nx-identity-header: {key}\r\n\r\n");
        talk(TcpStream::connect(address).unwrap(), &request)
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(std::process::Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
    }

    /// Waits for the end; returns the exit code and the output.
    fn end(&mut self) -> (Option<i32>, String) {
        drop(self.process.stdin.take());
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let code = self.process.wait().unwrap().code();
        assert!(!said.contains(MARK), "{said}");
        (code, said)
    }

    fn is_closed(&self) -> bool {
        let url = self.get("IDENTITY_ENDPOINT").unwrap();
        let address = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/msi/token")).unwrap();
        TcpStream::connect(address).is_err()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_command_gets_tokens_for_as_long_as_it_runs() {
    let mut cli = signed_in();
    for name in ["IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE"] {
        cli.set(name, "elsewhere");
    }
    cli.set("NO_PROXY", "fabrikam.com");
    cli.set("no_proxy", "contoso.com");
    cli.set("HTTP_PROXY", "http://127.0.0.1:9");
    let mut running =
        Running::start(&cli, &["--policy", "policy.toml", "--profile", "vault", "--audit", "a.jsonl"], SHOW);
    let key = running.get("IDENTITY_HEADER").unwrap().to_owned();
    for (name, value) in [
        ("MSI_ENDPOINT", running.get("IDENTITY_ENDPOINT")),
        ("MSI_SECRET", Some(key.as_str())),
        ("AZD_AUTH_KEY", Some(key.as_str())),
        ("AZURE_TOKEN_CREDENTIALS", Some("ManagedIdentityCredential")),
        ("NO_PROXY", Some("fabrikam.com,contoso.com,localhost,127.0.0.1")),
        ("no_proxy", Some("fabrikam.com,contoso.com,localhost,127.0.0.1")),
        ("HTTP_PROXY", Some("http://127.0.0.1:9")),
        ("IDENTITY_SERVER_THUMBPRINT", None),
        ("IMDS_ENDPOINT", None),
        ("AZURE_FEDERATED_TOKEN_FILE", None),
        ("AZD_AUTH_CERT", None),
    ] {
        assert_eq!(running.get(name), value, "{name}");
    }
    assert_eq!(running.ask(&key, "https://vault.azure.net").json()["access_token"], access_token(0, VAULT));
    assert_eq!(running.ask("wrong", "https://vault.azure.net").status, 401);
    let denied = running.ask(&key, "https://graph.microsoft.com");
    assert_eq!(denied.status, 403, "the profile graph was not named: {denied:?}");
    let arguments = std::fs::read(format!("/proc/{}/cmdline", running.process.id())).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains(&key));
    let (code, said) = running.end();
    assert_eq!((code, said.contains(&key)), (Some(1), false), "the read at the end of the input fails: {said}");
    assert!(running.is_closed(), "the endpoint goes with the command");
    let audit = cli.read("a.jsonl").unwrap();
    let served: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(served.iter().any(|line| line["client"] == "run" && line["outcome"] == "served"), "{audit}");
    assert!(!audit.contains(&key));
}

#[test]
fn scopes_take_the_place_of_a_policy() {
    let cli = signed_in();
    let running = Running::start(&cli, &["--scope", VAULT, "--source", "shared"], SHOW);
    let key = running.get("IDENTITY_HEADER").unwrap().to_owned();
    assert_eq!(running.ask(&key, "https://vault.azure.net").json()["access_token"], access_token(0, VAULT));
    assert_eq!(running.ask(&key, "https://graph.microsoft.com").status, 403);
}

#[test]
fn two_commands_have_different_keys_and_ports() {
    let cli = signed_in();
    let [one, two] = [0, 1].map(|_| Running::start(&cli, &["--policy", "policy.toml"], SHOW));
    assert_ne!(one.get("IDENTITY_HEADER"), two.get("IDENTITY_HEADER"));
    assert_ne!(one.get("IDENTITY_ENDPOINT"), two.get("IDENTITY_ENDPOINT"));
    assert_eq!(one.ask(two.get("IDENTITY_HEADER").unwrap(), "https://vault.azure.net").status, 401);
}

#[test]
fn the_exit_code_is_the_commands() {
    let cli = signed_in();
    for (script, expected) in [("exit 0", 0), ("exit 42", 42), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] {
        let run = cli.run(&["run", "--policy", "policy.toml", "/bin/sh", "-c", script]).unwrap();
        assert_eq!((run.code, run.stdout.as_str()), (Some(expected), ""), "{script}: {run:?}");
    }
    cli.write("no-program", "x").unwrap();
    for (program, expected) in [("./missing\u{1b}[2J", 127), ("./no-program", 126)] {
        let run = cli.run(&["run", "--policy", "policy.toml", "--", program]).unwrap();
        assert_eq!(run.code, Some(expected), "{run:?}");
        assert!(run.stderr.contains("cannot run ./") && !run.stderr.contains('\u{1b}'), "{run:?}");
    }
    let run = cli.run(&["run", "--policy", "policy.toml", "--", "printf", "%s|", "--policy", "-x", "a b"]).unwrap();
    assert_eq!(run.stdout, "--policy|-x|a b|", "its arguments stay its own");
    for (arguments, part) in [
        (&["run", "--", "true"] as &[&str], "--policy"),
        (&["run", "--policy", "policy.toml"], "<COMMAND>"),
        (&["run", "--policy", "policy.toml", "--profile", "mail", "--", "true"], "no such profile"),
        (&["run", "--policy", "policy.toml", "--audit", "policy.toml", "--", "true"], "it is the policy"),
        (&["run", "--policy", "missing", "--", "true"], "missing"),
    ] {
        let run = cli.run(arguments).unwrap();
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(part), "{part}: {run:?}");
    }
}

#[test]
fn an_ignored_signal_stays_ignored_by_run_and_its_command() {
    let cli = signed_in();
    let ignored = |option: &str| {
        let mut command = cli.command(Path::new("env"));
        command.args(["--default-signal", option]).arg(program().unwrap());
        command.args(["run", "--policy", "policy.toml", "--", "grep", "SigIgn", "/proc/self/status"]);
        let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
        u64::from_str_radix(said.trim_start_matches("SigIgn:").trim(), 16).unwrap()
    };
    // The lowest bit is signal 1, SIGHUP; the second is SIGINT.
    assert_eq!(ignored("--ignore-signal=HUP") & 3, 1);
    assert_eq!(ignored("--ignore-signal=INT") & 3, 2);
}

#[test]
fn options_without_an_effect_and_malformed_scopes_are_refused() {
    let cli = signed_in();
    for (arguments, part) in [
        (["--policy", "policy.toml", "--username", "user0@contoso.com"].as_slice(), "--username has no effect"),
        (&["--scope", ""], "visible ASCII"),
        (&["--scope", "a\u{1b}[31m"], "visible ASCII"),
    ] {
        let run = cli.run(&[&["run"], arguments, &["--", "true"]].concat()).unwrap();
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(part) && !run.stderr.contains('\u{1b}'), "{run:?}");
    }
    let run = cli.run(&["run", "--policy", "policy.toml", "--", "echo", "--username", "x"]).unwrap();
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "--username x\n"), "the option is the command's own");
    let run = cli.run(&["run", "--scope", "https://vault.azure.net", "--", "true"]).unwrap();
    assert!(run.code == Some(0) && run.stderr.contains("--scope https://vault.azure.net/.default"), "{run:?}");
}

#[test]
fn signals_go_to_the_command_and_every_end_closes_the_endpoint() {
    let cli = signed_in();
    let options = ["--policy", "policy.toml"];
    for (signal, code) in [("TERM", 11), ("INT", 12), ("HUP", 13), ("USR1", 14)] {
        let traps = "trap 'exit 11' TERM; trap 'exit 12' INT; trap 'exit 13' HUP; trap 'exit 14' USR1";
        let script = format!("{traps}; env; echo end; while :; do sleep 0.1; done");
        let mut running = Running::start(&cli, &options, &script);
        running.signal(signal);
        assert_eq!(running.end().0, Some(code), "{signal}");
        assert!(running.is_closed());
    }
    let mut running = Running::start(&cli, &options, "trap '' TERM; env; echo end; read line; exit 5");
    running.signal("TERM");
    std::thread::sleep(Duration::from_millis(300));
    assert!(running.process.try_wait().unwrap().is_none(), "a command that ignores the signal goes on");
    let key = running.get("IDENTITY_HEADER").unwrap().to_owned();
    assert_eq!(running.ask(&key, "https://vault.azure.net").status, 200);
    running.process.stdin.as_mut().unwrap().write_all(b"x\n").unwrap();
    assert_eq!(running.end().0, Some(5));
    // A killed `run` leaves nothing behind: its key and its port were in its memory only.
    let before = cli.files().unwrap();
    let mut running = Running::start(&cli, &options, SHOW);
    running.signal("KILL");
    assert_eq!(running.process.wait().unwrap().code(), None);
    let start = Instant::now();
    while !running.is_closed() {
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(cli.files().unwrap(), before);
    assert!(cli.read(SHARED).is_ok());
}

/// Ctrl+C in a terminal, with a pseudo-terminal of Python: counts the signals that the command gets.
const TERMINAL: &str = r#"
import os, pty, signal, sys, time
pid, terminal = pty.fork()
if pid == 0:
    # Ignored where the tests run in the background of a shell.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
said = b""
while b"ready" not in said:
    said += os.read(terminal, 1024)
os.write(terminal, b"\x03")
time.sleep(1)
os.write(terminal, b"end\n")
try:
    while True:
        part = os.read(terminal, 1024)
        said += part
        if not part:
            break
except OSError:
    pass
_, status = os.waitpid(pid, 0)
print(said.count(b"heard"), os.waitstatus_to_exitcode(status))
"#;

#[test]
fn a_command_in_a_terminal_hears_of_a_key_once() {
    let cli = signed_in();
    let script = "trap 'echo heard' INT; echo ready; while ! read line; do :; done; exit 9";
    let mut command = cli.command(Path::new("python3"));
    command.args(["-c", TERMINAL]).arg(program().unwrap()).args(["run", "--policy", "policy.toml", "--"]);
    let output = command.args(["/bin/sh", "-c", script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1 9\n", "{output:?}");
}
