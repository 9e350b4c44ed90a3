//! `--audit`: issued tokens and denials.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{ANYTHING, Authority, Cli};
use shared_token_cache_tests::sign_in::{GRAPH, LOCAL, MARK, SignIn, VAULT, document, token_reply};

const FILE: &str = "audit.jsonl";

/// The lines, without fields that differ between runs.
fn lines(cli: &Cli) -> Vec<Value> {
    let text = cli.read(FILE).unwrap();
    assert!(!text.contains(MARK) && !text.contains("user0@") && !text.contains(".utid-"), "{text}");
    text.lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let fields = line.as_object_mut().unwrap();
            let time = fields.remove("time").unwrap();
            assert!(time.as_str().unwrap().ends_with('Z') && time.as_str().unwrap().len() == 24, "{time}");
            fields.remove("duration_ms");
            line
        })
        .collect()
}

fn signed_in() -> Cli {
    Cli::with_shared(&document(&[SignIn::new(0, LOCAL).access_token(VAULT)])).unwrap()
}

#[test]
fn every_token_has_a_line_and_so_has_every_denial() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = signed_in();
    let policy =
        format!("{ANYTHING}[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read-write\"\n");
    let policy =
        cli.write("policy.toml", &policy.replace("scopes = [\"*\"]", &format!("scopes = [\"{VAULT}\"]"))).unwrap();
    let (host, ca_file) = (authority.host(), authority.ca_file());
    let audited = |more: &[&str]| {
        let mut arguments = vec!["get-token", "--audit", FILE, "--authority", &host, "--ca-file", &ca_file];
        arguments.extend(more);
        cli.run(&arguments).unwrap()
    };
    audited(&["--scope", GRAPH]).answer().unwrap();
    audited(&["--scope", GRAPH]).answer().unwrap();
    audited(&["--scope", GRAPH, "--policy", &policy]).error(5).unwrap();

    let line = |outcome: &str, reason: Value, account: Value, tenant: Value, source: Value| {
        let mut line = json!({
            "operation": "get-token", "outcome": outcome, "reason": reason, "account": account, "tenant": tenant,
            "scopes": [GRAPH], "source": source,
        });
        if !line["account"].is_null() {
            line["agent_session"] = json!(false);
        }
        line
    };
    // printf %s uid-00000000.utid-00000000 | sha256sum | cut -c1-16
    let account = json!("7cd4cd9cc41a2cfc");
    let expected = [
        line("refreshed", Value::Null, account.clone(), json!("utid-00000000"), json!("shared")),
        line("cached", Value::Null, account, json!("utid-00000000"), json!("shared")),
        line("denied", json!("policy"), Value::Null, Value::Null, Value::Null),
    ];
    assert_eq!(lines(&cli), expected);
}

#[test]
fn no_token_is_issued_if_the_audit_file_cannot_be_opened() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = signed_in();
    let run = cli.redeem(&authority, &["--audit", "missing/audit.jsonl"]).unwrap();
    let message = run.error(2).unwrap().get("message").cloned().unwrap();
    assert!(message.as_str().unwrap().contains("missing/audit.jsonl"), "{message}");
    assert!(authority.requests().is_empty());
}

#[test]
fn a_call_whose_audit_line_is_lost_returns_its_token() {
    // Every write to this file fails.
    if !std::path::Path::new("/dev/full").exists() {
        return; // `/dev/full` exists on Linux and some BSDs
    }
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = signed_in();
    let run = cli.redeem(&authority, &["--audit", "/dev/full"]).unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("\"token\"") && run.stderr.contains("cannot write a line of the audit"), "{run:?}");
}
