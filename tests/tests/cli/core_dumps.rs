//! Core dumps, and access to the running program by others.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;
use shared_token_cache_tests::cli::{ANYTHING, Authority, Cli, program};
use shared_token_cache_tests::sign_in::{GRAPH, LOCAL, SignIn, document};
use token_endpoint::Reply;

/// A user who is not root. Root may read every process, so a process of root's would show nothing.
const NOBODY: u32 = 65_534;

/// Linux's view of a process that waits for its authority.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// The soft limit for the size of core files.
    core_limit: String,
    /// Whether the process is dumpable, and so readable for other processes of its user: the owner
    /// of its files in `/proc` shows it.
    dumpable: bool,
}

fn look(process: &Child, user: u32) -> Seen {
    let of = |file: &str| format!("/proc/{}/{file}", process.id());
    let limits = fs::read_to_string(of("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let owner = fs::metadata(of("status")).unwrap().uid();
    Seen { core_limit: core.split_whitespace().nth(4).unwrap().to_owned(), dumpable: owner == user }
}

/// The program in this home, as a process of a user who is not root; returns the user as well.
fn program_of_a_user(cli: &Cli) -> (Command, u32) {
    let user = fs::metadata("/proc/self").unwrap().uid();
    if user != 0 {
        return (cli.command(&program().unwrap()), user);
    }
    // Another user may not be able to enter the build folder.
    let copy = cli.home().join("shared-token-cache");
    fs::copy(program().unwrap(), &copy).unwrap();
    chown(cli.home(), Some(NOBODY), Some(NOBODY)).unwrap();
    for path in cli.files().unwrap() {
        chown(cli.home().join(path), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut command = cli.command(&copy);
    command.uid(NOBODY).gid(NOBODY);
    (command, NOBODY)
}

/// Inspects the program during the authority's response.
fn while_it_waits(policy: Option<&str>) -> Seen {
    let (asked, is_asked) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let authority = Authority::start(move |_| {
        asked.send(()).unwrap();
        let _ = may_go_on.recv_timeout(Duration::from_secs(30));
        Reply::json(400, json!({"error": "invalid_grant"}))
    })
    .unwrap();
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let host = authority.host();
    let ca_file = cli.write("ca.pem", &fs::read_to_string(authority.ca_file()).unwrap()).unwrap();
    let mut arguments = vec!["get-token".to_owned(), "--scope".into(), GRAPH.into(), "--ca-file".into(), ca_file];
    arguments.extend(["--authority".into(), host.clone()]);
    if let Some(policy) = policy {
        let grant = "[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read-write\"\n";
        let policy = format!("authorities = [\"{host}\"]\n{ANYTHING}{grant}{policy}");
        arguments.extend(["--policy".into(), cli.write("policy.toml", &policy).unwrap()]);
    }
    let (mut command, user) = program_of_a_user(&cli);
    let mut process = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    is_asked.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("not asked in {:?}", started.elapsed()));
    let seen = look(&process, user);
    drop(go_on);
    process.wait().unwrap();
    seen
}

#[test]
fn a_crash_leaves_no_secrets_behind() {
    let seen = while_it_waits(None);
    assert_eq!(seen.core_limit, "0");
    assert!(!seen.dumpable);
    assert_eq!(while_it_waits(Some("[process]\ncore-dumps = \"deny\"\n")), seen);
}

#[test]
fn a_crash_leaves_what_the_policy_allows() {
    let own = fs::read_to_string("/proc/self/limits").unwrap();
    let core = own.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let hard_limit = core.split_whitespace().nth(5).unwrap();
    let seen = while_it_waits(Some("[process]\ncore-dumps = \"allow\"\n"));
    assert_eq!(seen.core_limit, hard_limit);
    assert!(seen.dumpable);
}
