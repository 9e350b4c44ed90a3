//! Redeeming a refresh token at an authority.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{AZURE_CLI, Authority, Cli, SHARED, SHARED_CAE};
use shared_token_cache_tests::sign_in::{
    CLIENT, GRAPH, LOCAL, SignIn, VAULT, access_token, document, new_access_token, new_refresh_token, refresh_token,
    token_reply,
};
use token_endpoint::Reply;

fn signed_in() -> String {
    document(&[SignIn::new(0, LOCAL).access_token(VAULT)])
}

/// The secrets in a section of a cache.
fn secrets(cache: &Value, section: &str) -> Vec<String> {
    let entries = cache.get(section).and_then(Value::as_object).into_iter().flat_map(|entries| entries.values());
    entries.filter_map(|entry| entry.get("secret")?.as_str().map(str::to_owned)).collect()
}

#[test]
fn the_request_has_what_a_refresh_needs_and_nothing_else() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::with_shared(&signed_in()).unwrap();
    cli.redeem(&authority, &[]).unwrap().answer().unwrap();

    let requests = authority.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!((request.method.as_str(), request.host.as_str()), ("POST", authority.host().as_str()));
    assert_eq!(request.path, "/organizations/oauth2/v2.0/token");
    let mut form = request.form.clone();
    form.sort();
    let expected = [
        ("client_id", CLIENT),
        ("client_info", "1"),
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh_token(0)),
        ("scope", GRAPH),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));

    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(request.header("x-anchormailbox"), Some("Oid:uid-00000000@utid-00000000"));
    assert_eq!(request.header("return-client-request-id"), Some("true"));
    for name in ["client-request-id", "x-client-sku", "x-client-ver", "user-agent"] {
        assert!(request.header(name).is_some_and(|value| !value.is_empty()), "{name}");
    }
}

#[test]
fn the_new_tokens_go_into_the_cache_and_serve_the_next_call() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::with_shared(&signed_in()).unwrap();
    let first = cli.redeem(&authority, &[]).unwrap().answer().unwrap();

    let cache = cli.read_json(SHARED).unwrap();
    assert_eq!(secrets(&cache, "RefreshToken"), [new_refresh_token(0)]);
    let mut access_tokens = secrets(&cache, "AccessToken");
    access_tokens.sort();
    assert_eq!(access_tokens, [new_access_token(0), access_token(0, VAULT)]);
    let mode = std::fs::metadata(cli.home().join(SHARED)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(cli.files().unwrap().len(), 2, "the folder and the cache, no lock and no temporary file");

    assert_eq!(cli.redeem(&authority, &[]).unwrap().answer().unwrap(), first);
    assert_eq!(authority.requests().len(), 1);
}

#[test]
fn the_caches_of_other_sources_are_refreshed_where_they_lie() {
    for (source, name) in [("azure-cli", AZURE_CLI), ("file:copy.json", "copy.json")] {
        let authority = Authority::answering(200, token_reply(0)).unwrap();
        let cli = Cli::new().unwrap();
        cli.write(name, &signed_in()).unwrap();
        cli.redeem(&authority, &["--source", source]).unwrap().answer().unwrap();
        assert_eq!(secrets(&cli.read_json(name).unwrap(), "RefreshToken"), [new_refresh_token(0)], "{source}");
    }
}

#[test]
fn azure_authority_host_names_the_authority_where_no_flag_does() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    for host in [authority.host(), format!("https://{}/", authority.host())] {
        let mut cli = Cli::with_shared(&signed_in()).unwrap();
        cli.set("AZURE_AUTHORITY_HOST", &host);
        let run = cli.run(&["get-token", "--scope", GRAPH, "--ca-file", &authority.ca_file()]).unwrap();
        assert_eq!(run.answer().unwrap()["token"], new_access_token(0).as_str(), "{host}");
    }
    assert_eq!(authority.requests().len(), 2);
}

#[test]
fn the_authority_may_be_given_as_a_url() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::with_shared(&signed_in()).unwrap();
    let url = format!("https://{}/", authority.host());
    let arguments = ["get-token", "--scope", GRAPH, "--ca-file", &authority.ca_file(), "--authority", &url];
    assert_eq!(cli.run(&arguments).unwrap().answer().unwrap()["token"], new_access_token(0).as_str());
}

#[test]
fn claims_are_sent_and_rule_out_the_cached_token() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL).access_token(GRAPH)])).unwrap();
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;
    let answer = cli.redeem(&authority, &["--claims", claims]).unwrap().answer().unwrap();
    assert_eq!(answer["token"], new_access_token(0).as_str());
    assert_eq!(authority.requests()[0].field("claims"), Some(claims));
}

#[test]
fn continuous_access_evaluation_is_asked_for_and_cached_apart() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::with_shared(&signed_in()).unwrap();
    cli.write(SHARED_CAE, &signed_in()).unwrap();
    cli.redeem(&authority, &["--enable-cae"]).unwrap().answer().unwrap();

    let requests = authority.requests();
    let claims: Value = serde_json::from_str(requests[0].field("claims").unwrap()).unwrap();
    assert_eq!(claims, json!({ "access_token": { "xms_cc": { "values": ["CP1"] } } }));
    assert_eq!(secrets(&cli.read_json(SHARED_CAE).unwrap(), "RefreshToken"), [new_refresh_token(0)]);
    assert_eq!(cli.read(SHARED).unwrap(), signed_in(), "the other cache is as it was");
}

#[test]
fn a_busy_authority_is_asked_again() {
    let mut calls = 0;
    let authority = Authority::start(move |_| {
        calls += 1;
        match calls {
            1 => Reply::json(503, json!({})).header("retry-after", "0"),
            _ => Reply::json(200, token_reply(0)),
        }
    })
    .unwrap();
    let cli = Cli::with_shared(&signed_in()).unwrap();
    let run = cli.redeem(&authority, &[]).unwrap();
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["token"], new_access_token(0).as_str());
    assert!(run.stderr.contains("status 503"), "stderr gives the reason of the wait: {}", run.stderr);
    assert_eq!(authority.requests().len(), 2);
}

#[test]
fn a_redirect_is_not_followed() {
    let authority = Authority::start(|request| match request.path.as_str() {
        "/organizations/oauth2/v2.0/token" => {
            Reply::bytes(307, "text/plain", "").header("location", "/elsewhere/oauth2/v2.0/token")
        }
        _ => Reply::json(200, token_reply(0)),
    })
    .unwrap();
    let cli = Cli::with_shared(&signed_in()).unwrap();
    let error = cli.redeem(&authority, &[]).unwrap().error(6).unwrap();
    assert_eq!(error["kind"], "unreachable");
    assert_eq!(authority.requests().len(), 1);
}
