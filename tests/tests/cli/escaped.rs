//! Every command escapes texts of others before they reach a terminal or a log.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::io::Read as _;
use std::path::Path;

use serde_json::json;
use shared_token_cache_tests::cli::{ANYTHING, Authority, Cli, Run, SHARED, program};
use shared_token_cache_tests::sign_in::{LOCAL, PUBLIC, SignIn, VAULT, document, tenant, username};

/// Escape sequences with two bytes and with one, a bell, line breaks of all kinds, bidirectional
/// and invisible characters.
const HIDDEN: [char; 9] =
    ['\u{1b}', '\u{7}', '\r', '\u{9b}', '\u{202e}', '\u{2066}', '\u{2028}', '\u{200b}', '\u{e0041}'];

/// A line break within a text, which must not start a line of output.
const FORGED: &str = "\n INFO forged";

fn hidden() -> String {
    format!("{}{FORGED}", HIDDEN.iter().collect::<String>())
}

/// The same text as a string in JSON or TOML, without quotes.
fn quoted() -> String {
    let text = serde_json::to_string(&hidden()).unwrap();
    text.trim_matches('"').replace('\u{e0041}', "\\udb40\\udc41")
}

fn check(what: &str, text: &str) {
    let raw: Vec<_> = HIDDEN.iter().filter(|hidden| text.contains(**hidden)).collect();
    assert!(raw.is_empty(), "{what} has {raw:?} in {text:?}");
    assert!(!text.contains(FORGED), "{what} has a line of others: {text:?}");
}

fn check_run(what: &str, run: &Run, shows: bool) {
    check(&format!("stdout of {what}"), &run.stdout);
    check(&format!("stderr of {what}"), &run.stderr);
    let shown = format!("{}{}", run.stdout, run.stderr);
    // As text or as JSON.
    assert!(!shows || shown.contains("\\u{1b}") || shown.contains("\\u001b"), "{what} does not show it: {run:?}");
}

/// A cache whose accounts have control characters in every text.
fn cache(accounts: u32, environment: &str) -> String {
    let text = document(&(0..accounts).map(|number| SignIn::new(number, environment)).collect::<Vec<_>>());
    let text = (0..accounts).fold(text, |text, number| {
        let name = username(number);
        text.replace(&name, &format!("{}{name}", quoted()))
            .replace(&tenant(number), &format!("{}{}", tenant(number), quoted()))
    });
    text.replace(environment, &format!("{environment}{}", quoted()))
}

#[test]
fn names_in_a_cache_are_escaped_by_every_command() {
    let mut cli = Cli::with_shared(&cache(2, PUBLIC)).unwrap();
    cli.set("SHARED_TOKEN_CACHE_LOG", "trace");
    for (arguments, shows) in [
        (&["accounts"][..], false),
        (&["accounts", "--output", "json"], false),
        (&["get-token", "--scope", VAULT], false),
        (&["get-token", "--scope", VAULT, "--output", "token"], false),
        (&["get-token", "--scope", VAULT, "--output", "header"], false),
        (&["get-token", "--scope", VAULT, "--username", &hidden()], false),
        (&["doctor", "--authority", "localhost:9"], false),
        (&["doctor", "--authority", "localhost:9", "--output", "json"], false),
        (&["supported"], false),
    ] {
        check_run(&format!("{arguments:?}"), &cli.run(arguments).unwrap(), shows);
    }
    // The environment of a known cloud, so that the accounts are shown.
    let names = document(&[0, 1].map(|number| SignIn::new(number, PUBLIC)));
    let names = [0, 1].iter().fold(names, |text, number| {
        let name = username(*number);
        text.replace(&name, &format!("{}{name}", quoted()))
    });
    cli.write(SHARED, &names).unwrap();
    for arguments in [
        &["accounts"][..],
        &["accounts", "--output", "json"],
        &["get-token", "--scope", VAULT],
        &["get-token", "--scope", VAULT, "--output", "token"],
        &["get-token", "--scope", VAULT, "--output", "header"],
    ] {
        check_run(&format!("{arguments:?}"), &cli.run(arguments).unwrap(), true);
    }
}

#[test]
fn a_policy_is_escaped_by_every_command() {
    let cli = Cli::new().unwrap();
    let wrong = format!("\"{}\" = 1\nauthorities = [\"{}\"]\n", quoted().replace("\\udb40\\udc41", ""), "a\u{202e}b");
    let policy = cli.write("policy.toml", &wrong).unwrap();
    for arguments in [
        &["policy", "check", &policy][..],
        &["policy", "check", "--output", "json", &policy],
        &["get-token", "--scope", VAULT, "--policy", &policy],
        &["serve", "--policy", &policy, "--sds", "unix:socket"],
    ] {
        check_run(&format!("{arguments:?}"), &cli.run(arguments).unwrap(), true);
    }
    // A valid policy: its output parses as TOML.
    let path = "/made-up/\u{1b}\u{202e}\u{9b}\u{200b}\u{e0041}";
    let source = path.replace('\u{1b}', "\\u001b").replace('\u{9b}', "\\u009b");
    let text = format!("{ANYTHING}[[caches]]\nsource = \"file:{source}\"\naccess = \"read\"\n");
    let policy = cli.write("policy.toml", &text).unwrap();
    let run = cli.run(&["policy", "show", "--policy", &policy]).unwrap();
    check("policy show", &run.stdout);
    let again = cli.write("again.toml", &run.stdout).unwrap();
    assert_eq!(cli.run(&["policy", "show", "--policy", &again]).unwrap().stdout, run.stdout);
}

#[test]
fn the_authoritys_texts_are_escaped() {
    let hidden = hidden();
    let authority = Authority::answering(
        400,
        json!({ "error": hidden, "suberror": hidden, "error_description": hidden, "correlation_id": hidden,
                "claims": json!({ "access_token": { &hidden: null } }).to_string() }),
    )
    .unwrap();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    cli.set("SHARED_TOKEN_CACHE_LOG", "trace");
    for output in ["json", "token", "header"] {
        let run = cli.redeem(&authority, &["--output", output]).unwrap();
        check_run(output, &run, false);
        assert_eq!(run.code, Some(4), "{run:?}");
    }
}

#[test]
fn a_callers_arguments_are_escaped_in_the_audit() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])).unwrap();
    let audit = cli.home().join("audit.jsonl").display().to_string();
    let hidden = hidden();
    let run = cli.run(&["get-token", "--scope", &hidden, "--request-tenant", &hidden, "--audit", &audit]).unwrap();
    check_run("get-token", &run, false);
    let text = cli.read("audit.jsonl").unwrap();
    check("the audit", &text);
    assert!(text.contains("\\u001b") && text.contains("\\u202e") && text.contains("\\u009b"), "{text}");
    let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(line["scopes"][0], hidden.as_str());
}

#[test]
fn a_components_texts_are_escaped_and_marked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/component/hostile/speak_in_escape_sequences.wasm");
    let component = path.display().to_string();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC)])).unwrap();
    cli.set("SHARED_TOKEN_CACHE_LOG", "shared_token_cache=debug");
    for output in ["json", "token"] {
        let run = cli.run(&["get-token", "--scope", VAULT, "--component", &component, "--output", output]).unwrap();
        check_run("get-token", &run, true);
        assert!(run.stderr.contains(" WARN component: innocent\\u{1b}[2J"), "{}", run.stderr);
    }
}

#[test]
fn a_command_line_is_escaped_in_the_message_about_it() {
    let cli = Cli::new().unwrap();
    for arguments in
        [&["get-token", "--\u{1b}[2J\u{202e}"][..], &["\u{1b}[2J\u{202e}"], &["accounts", "--output", "\u{1b}\u{202e}"]]
    {
        let run = cli.run(arguments).unwrap();
        check_run("usage", &run, false);
        assert_eq!(run.code, Some(2));
    }
}

#[test]
fn a_closed_stdout_ends_the_command_quietly() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC)])).unwrap();
    let mut child = cli
        .command(&program().unwrap())
        .arg("accounts")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(1), ""));
}

#[test]
fn the_command_line_begins_no_line_of_an_error_about_it() {
    let cli = Cli::new().unwrap();
    let forged = "x\nFORGED";
    let values: [&[&str]; 12] = [
        &["get-token", "--scope", VAULT, "--output", forged],
        &["get-token", "--scope", VAULT, "--source", forged],
        &["get-token", "--scope", VAULT, "--output=x\r\nFORGED"],
        &["get-token", "--scope", VAULT, "--x\nFORGED"],
        &["get-token", "--scope", VAULT, forged],
        &["serve", "--policy", "p", "--metrics", forged],
        &["serve", "--policy", "p", "--token-file", forged],
        &["serve", "--policy", "p", "--token-file", "x\nFORGED=y"],
        &["serve", "--policy", "p", "--token-file", "a=b", "--token-file-mode", forged],
        &["serve", "--policy", "p", "--sds", forged],
        &["policy", forged],
        &[forged],
    ];
    for arguments in values {
        let run = cli.run(arguments).unwrap();
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains("FORGED"), "{arguments:?} is not quoted: {}", run.stderr);
        let begins = run.stderr.lines().any(|line| line.trim_start().starts_with("FORGED"));
        assert!(!begins && !run.stderr.contains('\r'), "{arguments:?}: {:?}", run.stderr);
        assert!(run.stderr.contains("\n\nFor more information"), "clap's own lines stay: {:?}", run.stderr);
    }
}
