//! Every way to end withdraws the tokens.

use std::fs;
use std::time::{Duration, Instant};

use shared_token_cache_tests::cli::Cli;
use shared_token_cache_tests::sign_in::{LOCAL, VAULT, access_token};

use super::agent::{Agent, policy};
use super::signed_in;

fn started<'a>(cli: &'a Cli, arguments: &[&str], environment: &[(&str, &str)]) -> Agent<'a> {
    let arguments = [&["--token-file", "vault=v"], arguments].concat();
    let agent = Agent::start_with(cli, &policy(LOCAL), &arguments, environment);
    agent.until_file("v", &access_token(0, VAULT));
    agent
}

/// Signals that are ignored stay so in programs that are started: proc(5), `SigIgn`, and SIGHUP is the first.
fn hang_ups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[test]
#[allow(clippy::print_stderr, reason = "the reason of a skip")]
fn every_signal_that_ends_a_process_withdraws_the_tokens() {
    let mut signals =
        vec!["HUP", "INT", "TERM", "QUIT", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "XFSZ", "ABRT"];
    signals.extend(["TRAP", "SYS"]);
    if cfg!(target_os = "linux") {
        signals.extend(["IO", "PWR", "STKFLT", "34", "40", "64"]);
    }
    if hang_ups_are_ignored() {
        eprintln!("skipped: SIGHUP, because this process ignores it (`nohup`), and so does the agent");
        signals.retain(|signal| *signal != "HUP");
    }
    for signal in signals {
        let cli = signed_in();
        let agent = started(&cli, &[], &[]);
        let said = agent.end_by(signal);
        assert!(said.contains("withdrawing every token"), "{signal}: {said}");
        assert_eq!(cli.read("v").unwrap(), "", "{signal}");
    }
}

#[test]
fn a_closed_log_pipe_does_not_end_the_agent() {
    let cli = signed_in();
    let agent = started(&cli, &[], &[]);
    agent.signal("PIPE");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(cli.read("v").unwrap(), access_token(0, VAULT));
    agent.end();
    assert_eq!(cli.read("v").unwrap(), "");
}

#[test]
fn a_hang_up_has_a_service_open_its_audit_file_again() {
    let cli = signed_in();
    let agent = started(&cli, &["--audit", "a.jsonl"], &[("INVOCATION_ID", "1f")]);
    let audit = cli.home().join("a.jsonl");
    agent.until("a line of the audit", || fs::read_to_string(&audit).is_ok_and(|text| !text.is_empty()));
    fs::rename(&audit, cli.home().join("a.jsonl.1")).unwrap();
    agent.signal("HUP");
    agent.until("the new file", || audit.exists());
    assert_eq!(cli.read("v").unwrap(), access_token(0, VAULT), "it is no end");
    agent.end();
}

#[test]
fn a_front_that_hangs_delays_neither_another_nor_the_end() {
    let cli = signed_in();
    let agent = started(&cli, &["--token-file", "graph=pipe"], &[]);
    // From here on, opening that file for writing blocks until it has a reader.
    let pipe = cli.home().join("pipe");
    agent.until("the other file", || pipe.exists());
    fs::remove_file(&pipe).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let start = Instant::now();
    agent.signal("TERM");
    agent.until_file("v", "");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    agent.wait();
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}
