//! Requests of hostile clients, browsers and other programs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use shared_token_cache_tests::sign_in::{GRAPH, LOCAL, MARK, VAULT, access_token};

use super::super::serve::agent::policy;
use super::endpoint::{Endpoint, QUERY};
use super::signed_in;

#[test]
fn a_request_that_is_not_a_clients_own_is_refused_without_a_token() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault", "other=graph"], &[]);
    let (key, other, here) = (endpoint.key("app"), endpoint.key("other"), endpoint.address.clone());
    let graph = "api-version=2019-08-01&resource=https://graph.microsoft.com";
    let host = format!("host: {here}\r\n");
    let with = |key: &str| format!("{host}x-identity-header: {key}\r\n");
    let get = |query: &str, lines: &str| format!("GET /msi/token?{query} HTTP/1.1\r\n{lines}\r\n");
    let good = with(&key);
    let foreign = good.replace(&here, "evil.example");
    let url = |authority: &str| format!("GET http://{authority}/msi/token?{QUERY} HTTP/1.1\r\n{good}\r\n");
    for (what, request, status, reason) in [
        ("no key", get(QUERY, &host), 401, "no-key"),
        ("an empty key", get(QUERY, &with("")), 401, "wrong-key"),
        ("a wrong key", get(QUERY, &with(&key.replace(&key[..1], "x"))), 401, "wrong-key"),
        ("a part of a key", get(QUERY, &with(&key[..63])), 401, "wrong-key"),
        ("the key twice", get(QUERY, &with(&format!("{key}{key}"))), 401, "wrong-key"),
        ("the key of azd's header", get(QUERY, &format!("{host}authorization: Bearer {key}\r\n")), 401, "no-key"),
        ("a key in the path", format!("GET /key/{key}/msi/token?{QUERY} HTTP/1.1\r\n{host}\r\n"), 403, "path"),
        ("the profile of another client", get(graph, &good), 403, "scope"),
        ("another client's profile by its name", get(&format!("{graph}&client_id=graph"), &good), 403, "scope"),
        ("the key of another client", get(QUERY, &with(&other)), 403, "scope"),
        ("a slash more", get(&format!("{QUERY}/"), &good), 403, "scope"),
        ("another case", get(&QUERY.replace("vault", "Vault"), &good), 403, "scope"),
        ("no resource", get("api-version=2019-08-01", &good), 400, "resource"),
        ("two resources", get(&format!("{QUERY}&resource=https://graph.microsoft.com"), &good), 400, "resource"),
        ("no version", get("resource=https://vault.azure.net", &good), 400, "api-version"),
        ("another version", get(&QUERY.replace("2019-08-01", "2018-02-01"), &good), 400, "api-version"),
        ("another method", get(QUERY, &good).replace("GET", "POST"), 405, "method"),
        ("a body", get(QUERY, &format!("{good}content-length: 2\r\n")) + "{}", 413, "body"),
        ("a body in chunks", get(QUERY, &format!("{good}transfer-encoding: chunked\r\n")) + "0\r\n\r\n", 413, "body"),
        ("another path", get(QUERY, &good).replace("/msi/token", "/metadata/identity/oauth2/token"), 403, "path"),
        ("no host", get(QUERY, &format!("x-identity-header: {key}\r\n")), 403, "host"),
        ("a foreign host", get(QUERY, &foreign), 403, "host"),
        ("a foreign host with the port", get(QUERY, &good.replace("127.0.0.1", "evil.example")), 403, "host"),
        ("two hosts", get(QUERY, &format!("{good}host: evil.example\r\n")), 403, "host"),
        ("a foreign host in the URL", url("evil.example"), 403, "host"),
        ("an origin", get(QUERY, &format!("{good}origin: http://{here}\r\n")), 403, "origin"),
        ("the origin null", get(QUERY, &format!("{good}origin: null\r\n")), 403, "origin"),
    ] {
        let answer = endpoint.send(&request);
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        let reply = answer.json();
        assert!(reply["statusCode"] == status && reply["message"].is_string(), "{what}: {reply}");
        assert!(!answer.body.contains(MARK) && !answer.body.contains(&key), "{what}: {answer:?}");
        assert!(!answer.head.contains("access-control") && !answer.head.contains("retry-after"), "{what}: {answer:?}");
        endpoint.agent.until(what, || endpoint.audit().iter().any(|line| line["reason"] == reason));
    }
    // The response to a browser's preflight permits nothing to a page.
    let preflight = format!("OPTIONS /msi/token HTTP/1.1\r\n{host}origin: http://evil.example\r\n\r\n");
    let answer = endpoint.send(&preflight);
    assert!(answer.status == 403 && !answer.head.contains("access-control"), "{answer:?}");
    assert_eq!(endpoint.send(&url(&here)).status, 200, "as a proxy sends it");
    assert_eq!(endpoint.ask(&key, QUERY).json()["access_token"], access_token(0, VAULT));
    assert_eq!(endpoint.ask(&other, graph).json()["access_token"], access_token(1, GRAPH));
    let lines = endpoint.audit();
    assert!(lines.iter().all(|line| line["outcome"] != "served" || line["client"].is_string()));
    let (audit, command_line) = (cli.read("a.jsonl").unwrap(), endpoint.agent.command_line());
    let said = endpoint.agent.end();
    for text in [audit, said, command_line] {
        assert!(
            !text.is_empty() && !text.contains(&key) && !text.contains(&key[..32]) && !text.contains(&other),
            "{text}"
        );
    }
}

#[test]
fn a_request_that_is_too_large_or_too_slow_is_ended_and_a_pipelined_one_is_not_read() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault"], &[]);
    let (key, host) = (endpoint.key("app"), &endpoint.address);
    let head = format!("GET /msi/token?{QUERY} HTTP/1.1\r\nhost: {host}\r\nx-identity-header: {key}\r\n");
    let large = endpoint.send(&format!("{head}x: {}\r\n\r\n", "x".repeat(20_000)));
    assert_eq!(large.status, 431, "{large:?}");
    let many = endpoint.send(&format!("{head}{}\r\n", "x: y\r\n".repeat(100)));
    assert_eq!(many.status, 431, "{many:?}");
    let twice = endpoint.send(&format!("{head}\r\n{head}\r\n"));
    assert_eq!((twice.status, twice.body.matches("access_token").count()), (200, 1), "{twice:?}");
    assert!(!twice.body.contains("HTTP/1.1"), "{twice:?}");
    let start = Instant::now();
    let mut slow = TcpStream::connect(host).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    slow.write_all(head.as_bytes()).unwrap();
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    let took = start.elapsed();
    assert!(took > Duration::from_secs(3) && took < Duration::from_secs(15), "{took:?}");
    assert!(!String::from_utf8_lossy(&rest).contains(MARK));
    // A body that never arrives times out too, and is not audited as served.
    let body = format!(
        "POST /token?api-version=2023-07-12-preview HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer wrong\r\n\
         content-length: 100\r\n\r\n"
    );
    let start = Instant::now();
    let answer = endpoint.send(&body);
    assert!(answer.body.contains("the key") && start.elapsed() < Duration::from_secs(3), "before the body: {answer:?}");
    let answer = endpoint.send(&body.replace("wrong", &key));
    assert!(answer.body.contains("did not arrive in time") && start.elapsed() < Duration::from_secs(15), "{answer:?}");
}

#[test]
fn connections_without_a_request_keep_no_client_out() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault"], &[]);
    let key = endpoint.key("app");
    let mut idle = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(&endpoint.address).unwrap();
        stream.write_all(b"GET /msi").unwrap();
        idle.push(stream);
    }
    for _ in 0..5 {
        let start = Instant::now();
        assert_eq!(endpoint.ask(&key, QUERY).status, 200);
        assert!(start.elapsed() < Duration::from_secs(2));
    }
    assert!(endpoint.agent.end().contains("too many connections"));
}

#[test]
fn a_client_that_asks_too_often_waits_and_no_other_client_does() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault", "other=vault"], &[]);
    let (key, other) = (endpoint.key("app"), endpoint.key("other"));
    let refused = (0..400).map(|_| endpoint.ask(&key, QUERY)).find(|answer| answer.status != 200);
    let refused = refused.expect("400 requests in a row are too many");
    assert_eq!(refused.status, 429);
    assert!(refused.head.contains("retry-after: 1"), "{refused:?}");
    assert_eq!(endpoint.ask(&other, QUERY).status, 200);
    endpoint.until_audited([("client", "app"), ("reason", "rate"), ("outcome", "refused")]);
    // The number of requests without a key exceeds that of their audit lines.
    for _ in 0..200 {
        assert_eq!(endpoint.ask("wrong", QUERY).status, 401);
    }
    let lines = endpoint.audit().iter().filter(|line| line["reason"] == "wrong-key").count();
    assert!((1..150).contains(&lines), "{lines}");
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(endpoint.ask(&key, QUERY).status, 200);
}

#[test]
fn a_client_that_ends_its_side_behind_the_request_is_answered() {
    let cli = signed_in();
    let two = policy(LOCAL).replace(&format!("[\"{VAULT}\"]"), &format!("[\"{VAULT}\", \"{GRAPH}\"]"));
    let endpoint = Endpoint::start(&cli, &two, &["app=vault"], &[]);
    let (key, host, body) = (endpoint.key("app"), &endpoint.address, format!("{{\"scopes\":[\"{VAULT}\"]}}"));
    let get = format!("GET /msi/token?{QUERY} HTTP/1.1\r\nhost: {host}\r\nx-identity-header: {key}\r\n\r\n");
    let post = format!(
        "POST /token?api-version=2023-07-12-preview HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    for request in [get, post] {
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(&access_token(0, VAULT)), "{answer}");
    }
}
