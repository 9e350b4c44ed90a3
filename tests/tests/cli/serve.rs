//! `serve`: the agent as its user runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

pub(crate) mod agent;
mod ended;
mod planted;
mod refused;
mod starved;

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{Authority, Cli, SHARED};
use shared_token_cache_tests::proxy::proxy_that_refuses;
use shared_token_cache_tests::sign_in::{
    GRAPH, LOCAL, SignIn, VAULT, access_token, document, new_access_token, new_refresh_token, token_reply,
};

use agent::{Agent, policy};

/// Two users in one cache: user 0 has a token for the vault, user 1 one for Graph.
fn signed_in() -> Cli {
    let users = [SignIn::new(0, LOCAL).access_token(VAULT), SignIn::new(1, LOCAL).access_token(GRAPH)];
    Cli::with_shared(&document(&users)).unwrap()
}

#[test]
fn a_file_holds_the_token_of_its_profile_for_as_long_as_there_is_one() {
    let cli = signed_in();
    let agent = Agent::start(&cli, &policy(LOCAL), &["--token-file", "vault=v", "--token-file", "graph=g"]);
    agent.until_file("v", &access_token(0, VAULT));
    agent.until_file("g", &access_token(1, GRAPH));
    for name in ["v", "g"] {
        assert_eq!(fs::metadata(cli.home().join(name)).unwrap().mode() & 0o7777, 0o600);
    }
    // User 1 signs out.
    let both = cli.read(SHARED).unwrap();
    agent.write(SHARED, &document(&[SignIn::new(0, LOCAL).access_token(VAULT)]));
    let start = Instant::now();
    agent.until_file("g", "");
    assert!(start.elapsed() < Duration::from_secs(1), "withdrawn after {:?}", start.elapsed());
    assert_eq!(cli.read("v").unwrap(), access_token(0, VAULT), "the other profile is not concerned");
    agent.write(SHARED, &both);
    agent.until_file("g", &access_token(1, GRAPH));
    let said = agent.end();
    for part in ["keeping vault, graph", "profile graph: there is no token", "SIGTERM: withdrawing every token"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!((cli.read("v").unwrap(), cli.read("g").unwrap()), (String::new(), String::new()));
}

#[test]
fn a_new_token_takes_the_place_of_the_old_one_and_is_stored() {
    let mut reply = token_reply(0);
    reply["expires_in"] = json!(4);
    reply.as_object_mut().unwrap().remove("expires_on");
    let mut issued = 0;
    let authority = Authority::start(move |_| {
        issued += 1;
        let mut reply = reply.clone();
        reply["access_token"] = json!(format!("{}-{issued}", new_access_token(0)));
        token_endpoint::Reply::json(200, reply)
    })
    .unwrap();
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let (host, ca_file) = (authority.host(), authority.ca_file());
    let arguments = [
        "--token-file",
        "vault=v",
        "--authority",
        &host,
        "--ca-file",
        &ca_file,
        "--audit",
        "a.jsonl",
        "--metrics",
        "127.0.0.1:0",
    ];
    let agent = Agent::start(&cli, &policy(&host), &arguments);
    for number in 1..=3 {
        agent.until_file("v", &format!("{}-{number}", new_access_token(0)));
    }
    let page = agent.metrics();
    let refreshed = page.lines().find_map(|line| {
        line.strip_prefix("shared_token_cache_refreshes_total{profile=\"vault\",outcome=\"refreshed\"} ")
    });
    assert!(refreshed.unwrap().parse::<u32>().unwrap() >= 3, "{page}");
    agent.end();
    assert!(cli.read(SHARED).unwrap().contains(&new_refresh_token(0)));
    let audit = cli.read("a.jsonl").unwrap();
    let lines: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let about_vault = |line: &&Value| line["scopes"] == json!([VAULT]) && line["outcome"] == "refreshed";
    assert!(lines.iter().filter(about_vault).count() >= 3, "{audit}");
    assert!(!audit.contains(&new_access_token(0)));
}

#[test]
fn a_proxy_that_refuses_the_password_is_asked_once_for_all_profiles() {
    let (proxy, heads) = proxy_that_refuses().unwrap();
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL), SignIn::new(1, LOCAL)])).unwrap();
    let arguments = ["--token-file", "vault=v", "--token-file", "graph=g"];
    let value = format!("http://user0:made-up-secret@{proxy}");
    let agent = Agent::start_with(&cli, &policy(LOCAL), &arguments, &[("HTTPS_PROXY", &value)]);
    agent.until("a refusal for each profile", || agent.said().matches("status 407").count() == 2);
    let said = agent.end();
    assert!(said.contains("correct them in HTTPS_PROXY") && !said.contains("made-up"), "{said}");
    assert_eq!(heads.try_iter().count(), 1, "a directory locks an account after a few wrong passwords");
}

#[test]
fn metrics_cover_each_profile_and_contain_no_token() {
    let cli = signed_in();
    let arguments = ["--sds", "unix:run/sds.sock", "--token-file", "vault=v", "--metrics", "127.0.0.1:0"];
    let agent = Agent::start(&cli, &policy(LOCAL), &arguments);
    agent.until_file("v", &access_token(0, VAULT));
    agent.write(SHARED, &document(&[SignIn::new(0, LOCAL).access_token(VAULT)]));
    agent.until("the withdrawal", || {
        agent.metrics().contains("profile=\"graph\",outcome=\"credential-unavailable\"} 1")
    });
    let page = agent.metrics();
    let number = |name: &str| -> i64 {
        let line = page.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {page}"));
        line.trim().parse().unwrap()
    };
    assert!(number("shared_token_cache_token_expiry_seconds{profile=\"vault\"}") > 3000);
    assert_eq!(number("shared_token_cache_token_expiry_seconds{profile=\"graph\"}"), 0);
    assert_eq!(number("shared_token_cache_refreshes_total{profile=\"graph\",outcome=\"cached\"}"), 1);
    assert_eq!(number("shared_token_cache_sds_streams "), 0);
    assert!(!page.contains(&access_token(0, VAULT)) && page.ends_with("# EOF\n"), "{page}");
    let socket = cli.home().join("run/sds.sock");
    let metadata = fs::symlink_metadata(&socket).unwrap();
    assert!(metadata.file_type().is_socket() && metadata.mode() & 0o777 == 0o600);
    agent.end();
    assert!(!socket.exists());
}

#[test]
fn an_agent_may_be_started_before_anybody_signs_in() {
    let cli = Cli::new().unwrap();
    let agent = Agent::start(&cli, &policy(LOCAL), &["--token-file", "vault=v"]);
    agent.until_file("v", "");
    agent.write(SHARED, &document(&[SignIn::new(0, LOCAL).access_token(VAULT)]));
    agent.until_file("v", &access_token(0, VAULT));
    let said = agent.end();
    assert!(said.contains("keeping vault\n") && !said.contains("graph"), "the profile `graph` has no front: {said}");
}
