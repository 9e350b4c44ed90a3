//! Settings that an agent refuses at its start.

use std::net::TcpListener;

use shared_token_cache_tests::cli::Cli;
use shared_token_cache_tests::sign_in::{LOCAL, VAULT};

use super::agent::{Agent, policy};
use super::signed_in;

/// Runs an agent that ends at once; returns its output.
fn refused(cli: &Cli, policy: &str, arguments: &[&str], code: i32) -> String {
    let policy = cli.write("policy.toml", policy).unwrap();
    let mut all = vec!["serve", "--policy", &policy];
    all.extend(arguments);
    let run = cli.run(&all).unwrap();
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{arguments:?}: {run:?}");
    run.stderr
}

#[test]
fn invalid_settings_are_reported_before_anything_is_served() {
    let cli = signed_in();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let good = policy(LOCAL);
    let (without, _) = good.split_once("[[profiles]]").unwrap();
    cli.write("precious", "x").unwrap();
    cli.write("run/x", "x").unwrap();
    std::os::unix::fs::symlink("precious", cli.home().join("link")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(cli.home().join("fifo")).status().unwrap().success());
    for (policy, arguments, code, parts) in [
        (good.as_str(), &[] as &[&str], 2, &["--sds", "--token-file"] as &[&str]),
        (&good, &["--token-file", "vault=v", "--allow-uid", "1"], 2, &["--sds"]),
        (&good, &["--sds", "unix:run/s.sock", "--allow-uid", "65534"], 2, &["--allow-uid 65534", "a user of its own"]),
        (&good, &["--token-file", "vault"], 2, &["the profile's name, `=`, and a path"]),
        (&good, &["--token-file", "mail=m"], 2, &["the policy has no profile mail"]),
        (&good, &["--token-file", "vault=missing/v"], 2, &["vault=missing/v", "there is no such folder"]),
        (&good, &["--token-file", "vault=link"], 2, &["vault=link", "it is a symbolic link; remove it"]),
        (&good, &["--token-file", "vault=fifo"], 2, &["vault=fifo", "it is a FIFO; remove it"]),
        (&good, &["--token-file", "vault=run"], 2, &["vault=run", "it is a folder; remove it"]),
        (&good, &["--token-file", "vault=v", "--token-file-mode", "0662"], 2, &["other users could write the file"]),
        (&good, &["--token-file", "vault=v", "--token-file-mode", "0040"], 2, &["owner could not read the file"]),
        (&good, &["--token-file", "vault=v", "--token-file-group", "no-such-group"], 2, &["by its number"]),
        (&good, &["--sds", "unix:run/s.sock", "--token-file-mode", "0640"], 2, &["--token-file <PROFILE=PATH>"]),
        (&good, &["--token-file", "vault=v", "--metrics", "9464"], 2, &["127.0.0.1:9464"]),
        (&good, &["--token-file", "vault=v", "--token-file", "graph=v"], 2, &["graph=v", "named twice"]),
        (&good, &["--sds", "/run/sds.sock"], 2, &["write it as `unix:`"]),
        (&good, &["--sds", "unix:precious"], 2, &["precious exists and is not a socket"]),
        (&good, &["--token-file", "vault=v", "--metrics", &taken], 2, &[&taken, "--metrics"]),
        (&good, &["--token-file", "vault=v", "--authority", "https://x/y"], 2, &["is not the host of an authority"]),
        (&good, &["--token-file", "vault=v", "--audit", "missing/a"], 2, &["missing/a", "no token is requested"]),
        (without, &["--token-file", "vault=v"], 2, &["names no profile", "[[profiles]]"]),
        (
            &good.replace("graph.microsoft.com/.default\"]\n", "*\"]\n"),
            &["--token-file", "vault=v"],
            2,
            &["`profiles[1].scopes[0]`"],
        ),
        (
            &good.replacen("[\"*\"]", &format!("[\"{VAULT}\"]"), 1),
            &["--token-file", "vault=v"],
            2,
            &["list it under `scopes`"],
        ),
        (&good.replace("client-ids = [\"*\"]\n", ""), &["--token-file", "vault=v"], 5, &["list it under `client-ids`"]),
    ] {
        let said = refused(&cli, policy, arguments, code);
        for part in parts {
            assert!(said.contains(part), "{arguments:?}: {part:?} is not in {said}");
        }
    }
    assert_eq!(cli.read("precious").unwrap(), "x");
    assert!(cli.read("v").is_err());
}

#[test]
fn two_agents_do_not_share_a_socket() {
    let cli = signed_in();
    let sds = ["--sds", "unix:run/sds.sock"];
    let first = Agent::start(&cli, &policy(LOCAL), &[sds[0], sds[1], "--token-file", "vault=v"]);
    let socket = cli.home().join("run/sds.sock");
    first.until("the socket", || socket.exists());
    let said = refused(&cli, &policy(LOCAL), &sds, 2);
    assert!(said.contains("another server listens on run/sds.sock"), "{said}");
    assert!(socket.exists());
    first.end();
    let second = Agent::start(&cli, &policy(LOCAL), &sds);
    second.until("the socket", || socket.exists());
    second.end();
}
