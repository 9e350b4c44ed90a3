//! `COPILOT_AGENT_SESSION_ID`: tokens with the mark of an agent session, and no others in their place.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{Authority, Cli, SHARED};
use shared_token_cache_tests::sign_in::{
    GRAPH, LOCAL, SignIn, VAULT, access_token, document, new_access_token, token_reply,
};

use super::http::endpoint::{Endpoint, QUERY};
use super::serve::agent::policy;

pub(super) const VARIABLE: &str = "COPILOT_AGENT_SESSION_ID";

pub(super) const SESSION: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

/// The session's `ext_cache_key`, as MSAL 1.39 prints it.
pub(super) const KEY: &str = "a_wxrlctbxdsd5iia6yf4cmrroepxpa2p6-z0ue8qvo";

/// Two users, each with a cached token that has no mark.
fn signed_in() -> Cli {
    let users = [SignIn::new(0, LOCAL).access_token(VAULT), SignIn::new(1, LOCAL).access_token(GRAPH)];
    Cli::with_shared(&document(&users)).unwrap()
}

#[test]
fn get_token_marks_its_request_and_keeps_the_token_apart() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL).access_token(GRAPH)])).unwrap();
    let token = |cli: &Cli| cli.redeem(&authority, &["--audit", "a.jsonl"]).unwrap().answer().unwrap()["token"].clone();
    cli.set(VARIABLE, SESSION);
    assert_eq!(token(&cli), new_access_token(0));
    assert_eq!(token(&cli), new_access_token(0), "from the cache");
    let requests = authority.requests();
    let [request] = requests.as_slice() else { unreachable!("one request is made: {requests:?}") };
    assert_eq!(request.field("client_session"), Some(SESSION));
    assert!(request.path.ends_with(&format!("/oauth2/v2.0/token?client_session={SESSION}")), "{}", request.path);

    let cache = cli.read_json(SHARED).unwrap();
    let tokens = cache["AccessToken"].as_object().unwrap();
    let marked: Vec<_> = tokens.iter().filter(|(_, entry)| entry["ext_cache_key"] == KEY).collect();
    let [(key, entry)] = marked.as_slice() else { unreachable!("one token is marked: {tokens:?}") };
    assert!(key.contains("-atext-") && key.ends_with(&format!("-{KEY}")), "{key}");
    assert_eq!((&entry["credential_type"], &entry["secret"]), (&json!("AccessToken"), &json!(new_access_token(0))));

    cli.set(VARIABLE, "");
    assert_eq!(token(&cli), access_token(0, GRAPH), "the token without the mark is still there");
    assert_eq!(authority.requests().len(), 1);
    let audit = cli.read("a.jsonl").unwrap();
    let marked: Vec<Value> =
        audit.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["agent_session"].clone()).collect();
    assert_eq!(marked, [true, true, false]);
    assert!(!audit.contains(SESSION));
}

#[test]
fn an_id_that_cannot_be_sent_is_an_error_and_no_token_is_served() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL).access_token(GRAPH)])).unwrap();
    for id in [" ", "a b", "\u{fc}", &"x".repeat(257)] {
        cli.set(VARIABLE, id);
        let error = cli.redeem(&authority, &[]).unwrap().error(2).unwrap();
        assert!(error["message"].as_str().unwrap().contains(VARIABLE), "{error}");
    }
    assert!(authority.requests().is_empty());
}

#[test]
fn doctor_says_that_tokens_are_marked() {
    let authority = Authority::answering(400, json!({ "error": "invalid_request" })).unwrap();
    let mut cli = signed_in();
    let doctor = |cli: &Cli, output: &str| {
        let (host, ca_file) = (authority.host(), authority.ca_file());
        cli.run(&["doctor", "--authority", &host, "--ca-file", &ca_file, "--output", output]).unwrap().stdout
    };
    let json = |cli: &Cli| serde_json::from_str::<Value>(&doctor(cli, "json")).unwrap()["agent_session"].clone();
    assert_eq!(json(&cli), false);
    assert!(!doctor(&cli, "text").contains("agent session"));
    cli.set(VARIABLE, SESSION);
    assert_eq!(json(&cli), true);
    let text = doctor(&cli, "text");
    assert!(text.contains("\nagent session\n  note") && text.contains(VARIABLE) && !text.contains(SESSION), "{text}");
}

#[test]
fn an_agent_passes_its_session_on_unless_the_profile_says_off() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let mut cli = signed_in();
    cli.set(VARIABLE, SESSION);
    let policy = policy(&authority.host()).replace("name = \"graph\"", "name = \"graph\"\nagent-session = \"off\"");
    let more = ["--authority", &authority.host(), "--ca-file", &authority.ca_file()];
    let endpoint = Endpoint::start(&cli, &policy, &["app=vault", "old=graph"], &more);
    let graph = QUERY.replace("vault.azure.net", "graph.microsoft.com");
    let ask = |client: &str, query: &str, session: Option<&str>| {
        let session = session.map(|key| format!("x-agent-session: {key}\r\n")).unwrap_or_default();
        let (address, key) = (&endpoint.address, endpoint.key(client));
        endpoint.send(&format!(
            "GET /msi/token?{query} HTTP/1.1\r\nhost: {address}\r\nx-identity-header: {key}\r\n{session}\r\n"
        ))
    };
    for (session, said) in [(None, None), (Some(KEY), Some(KEY))] {
        let answer = ask("app", QUERY, session);
        assert_eq!(answer.json()["access_token"], new_access_token(0), "{answer:?}");
        let field = answer.head.lines().find_map(|line| line.strip_prefix("x-agent-session: "));
        assert_eq!(field.map(str::trim), said, "{answer:?}");
    }
    assert_eq!(authority.requests()[0].field("client_session"), Some(SESSION));

    let answer = ask("app", QUERY, Some("another"));
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.body.contains(VARIABLE) && !answer.body.contains(KEY), "{answer:?}");
    endpoint.until_audited([("client", "app"), ("outcome", "refused"), ("reason", "agent-session")]);

    let answer = ask("old", &graph, Some(KEY));
    assert_eq!(answer.json()["access_token"], access_token(1, GRAPH), "{answer:?}");
    assert!(answer.head.contains("x-agent-session: off"), "{answer:?}");
    assert_eq!(authority.requests().len(), 1, "the token without the mark came from the cache");
}
