//! The proxy from the view of its clients and its upstream, over real sockets, with a made-up
//! sign-in.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod home;
mod proxy;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;
use token_endpoint::sign_in::{GRAPH, LOCAL, MARK, PUBLIC, SignIn, access_token};
use token_endpoint::{Certificate, Reply, Setup, Tls, TokenEndpoint};

use home::Home;
use proxy::Proxy;

/// The time limit for noticing a change of the cache.
const SOON: Duration = Duration::from_secs(2);

fn signed_in() -> SignIn {
    SignIn::new(0, PUBLIC).access_token(GRAPH)
}

fn with_another_token() -> SignIn {
    SignIn::new(0, PUBLIC).access_token_with(GRAPH, json!({ "secret": format!("at-{MARK}-another") }))
}

fn bearer() -> String {
    format!("Bearer {}", access_token(0, GRAPH))
}

/// An upstream over plain HTTP that records requests.
async fn upstream() -> TokenEndpoint {
    upstream_as(Setup { tls: Tls::Off, ..Setup::default() }).await
}

async fn upstream_as(setup: Setup) -> TokenEndpoint {
    TokenEndpoint::start_as(setup, |_| Reply::bytes(200, "text/plain", "hello")).await.unwrap()
}

/// The `Authorization` headers of the last request.
fn last_seen(upstream: &TokenEndpoint) -> Vec<String> {
    let last = upstream.requests().pop().unwrap();
    let all = last.headers.into_iter().filter(|(name, _)| name == "authorization");
    all.map(|(_, value)| value).collect()
}

#[tokio::test]
async fn the_token_reaches_the_upstream_and_a_clients_own_header_does_not() {
    let (home, upstream) = (Home::with(&[signed_in()]), upstream().await);
    let proxy = Proxy::start(&home, &format!("http://{}", upstream.address())).await;
    for (target, headers) in [
        ("/", ""),
        ("/v1.0/me?a=b", "Authorization: Bearer mine\r\n"),
        ("/", "Authorization: Bearer mine\r\nauthorization: Basic bWluZQ==\r\n"),
        ("/", "AUTHORIZATION: \r\n"),
        ("/", "Authorization: Bearer mine\r\nConnection: authorization\r\n"),
        ("/", "Upgrade: websocket\r\nConnection: upgrade, authorization\r\n"),
        ("http://proxy.example/", "Authorization: Bearer mine\r\n"),
    ] {
        let answer = proxy.get(target, headers).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello"), "{headers:?}: {answer}");
        assert_eq!(last_seen(&upstream), [bearer()], "{headers:?}");
        let last = upstream.requests().pop().unwrap();
        assert_eq!(
            (last.host, &*last.path),
            (upstream.address().to_string(), target.trim_start_matches("http://proxy.example"))
        );
    }
    proxy.stop_and_check();
}

#[tokio::test]
async fn another_token_in_the_cache_is_seen_upstream_without_a_restart() {
    let (home, upstream) = (Home::with(&[signed_in()]), upstream().await);
    let proxy = Proxy::start(&home, &format!("http://{}", upstream.address())).await;
    assert_eq!(proxy.status().await, 200);
    assert_eq!(last_seen(&upstream), [bearer()]);
    home.replace(&[with_another_token()]);
    let started = Instant::now();
    while last_seen(&upstream) != [format!("Bearer at-{MARK}-another")] {
        assert!(started.elapsed() < SOON, "{:?}", upstream.requests().len());
        assert_eq!(proxy.status().await, 200);
    }
    report("another token was seen upstream", started);
    proxy.stop_and_check();
}

#[tokio::test]
async fn without_a_sign_in_clients_get_401_and_the_upstream_sees_nothing() {
    let (home, upstream) = (Home::with(&[]), upstream().await);
    let proxy = Proxy::start_signed_out(&home, &format!("http://{}", upstream.address())).await;
    assert_eq!((proxy.status().await, upstream.connections()), (401, 0));
    home.replace(&[signed_in()]);
    proxy.until(200, SOON).await;
    home.replace(&[]);
    let started = Instant::now();
    proxy.until(401, SOON).await;
    report("a sign-out ended in 401", started);
    let seen = upstream.requests().len();
    let own = proxy.get("/", "Authorization: Bearer mine\r\n").await;
    assert!(own.starts_with("HTTP/1.1 401 "), "{own}");
    assert_eq!(upstream.requests().len(), seen);
    assert!(upstream.requests().iter().all(|request| request.header("authorization") == Some(&bearer())));
    proxy.stop_and_check();
}

#[tokio::test]
async fn an_upstream_over_tls_is_verified() {
    for (certificate, status) in [(Certificate::Good, 200), (Certificate::OtherHost, 502), (Certificate::Expired, 502)]
    {
        let (home, upstream) = (Home::with(&[signed_in()]), upstream_as(Setup { certificate, tls: Tls::Any }).await);
        home.trust(upstream.ca_pem());
        let url = format!("https://{LOCAL}:{}", upstream.address().port());
        let proxy = Proxy::start_signed_out(&home, &url).await;
        proxy.until(status, SOON * 5).await;
        if status == 200 {
            assert_eq!(last_seen(&upstream), [bearer()]);
        } else {
            assert!(upstream.requests().is_empty(), "{certificate:?}");
        }
        proxy.stop_and_check();
    }
}

#[tokio::test]
async fn wrong_settings_are_explained() {
    let home = Home::with(&[signed_in()]);
    let (policy, upstream) = (&*home.path("policy.toml"), "http://127.0.0.1:9");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = &*listener.local_addr().unwrap().to_string();
    home.write("damaged.toml", "scope = 1");
    let damaged = &*home.path("damaged.toml");
    for (arguments, wanted) in [
        (&[] as &[&str], "usage: "),
        (&[policy, "graph"], "usage: "),
        (&["/nowhere", "graph", upstream], "/nowhere: "),
        (&[damaged, "graph", upstream], "damaged.toml: "),
        (&[policy, "vault", upstream], "no profile is named \"vault\", only [graph]"),
        (&[policy, "graph", "https://contoso.com/path"], "is not an upstream"),
        (&[policy, "graph", "http://contoso.com"], "tokens go out over https only"),
        (&[policy, "graph", upstream, "8080"], "\"8080\" is not an address with a port"),
        (&[policy, "graph", upstream, taken], taken),
    ] {
        let output = home.program().args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(wanted), "{arguments:?}: {said}");
    }
}

#[expect(clippy::print_stdout, reason = "a figure for --nocapture")]
fn report(what: &str, since: Instant) {
    println!("{what} after {} ms", since.elapsed().as_millis());
}
