//! The host's requests: contents, destinations, and TLS.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::time::Duration;

use serde_json::json;
use shared_token_cache::policy::{Access, Limits, Policy};
use shared_token_cache::{Builder, Error, SharedTokenCacheCredential, TransportOptions};
use shared_token_cache_tests::gzip;
use shared_token_cache_tests::home::{self, AUTHORITY, Home};
use shared_token_cache_tests::proxy::relay_to;
use token_endpoint::{Certificate, Reply, Setup, Tls, TokenEndpoint};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn token() -> serde_json::Value {
    json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": "at-1" })
}

fn issuing() -> impl FnMut(&token_endpoint::Received) -> Reply + Send + 'static {
    |_| Reply::json(200, token())
}

async fn get(builder: Builder) -> Result<String, Error> {
    let credential: SharedTokenCacheCredential = builder.build()?;
    credential.get_token(&["https://vault.azure.net/.default"]).await.map(|token| token.token.expose().to_owned())
}

/// A credential whose authority is `host` at the endpoint's port, resolved through DNS like any
/// other.
fn looked_up(home: &Home, endpoint: &TokenEndpoint, host: &str, addresses: &[&str]) -> io::Result<Builder> {
    home.write(&home::document(1).to_string().replace(AUTHORITY, host))?;
    let authority = format!("{host}:{}", endpoint.address().port());
    let mut policy = home::policy(Access::ReadWrite).allow_authority(authority.parse().map_err(io::Error::other)?);
    for addresses in addresses {
        policy = policy.allow_addresses(addresses.parse().map_err(io::Error::other)?);
    }
    let mut transport = home.transport(endpoint)?;
    transport.resolve = Vec::new();
    Ok(home.builder().policy(policy).transport(transport).authority(authority))
}

#[tokio::test]
async fn an_address_that_is_not_public_is_connected_to_only_if_the_policy_names_it() {
    for (host, addresses, allowed) in [
        ("localhost", &[][..], false),
        ("localhost", &["private", "link-local", "metadata"], false),
        ("localhost", &["loopback"], true),
        ("localhost", &["10.0.0.0/8", "127.0.0.0/8"], true),
        ("localhost", &["127.0.0.1"], true),
        ("127.0.0.1", &[], false),
        ("127.0.0.1", &["127.0.0.2", "private"], false),
        ("127.0.0.1", &["127.0.0.1"], true),
        ("127.0.0.1", &["loopback"], true),
    ] {
        let endpoint = TokenEndpoint::start(issuing()).await.unwrap();
        let home = Home::signed_in(1).unwrap();
        let got = get(looked_up(&home, &endpoint, host, addresses).unwrap()).await;
        if allowed {
            assert_eq!(got.unwrap(), "at-1", "{host} {addresses:?}");
            continue;
        }
        match got {
            Err(Error::Denied(denial)) => {
                let hint = denial.hint.unwrap();
                assert!(hint.contains("`loopback` under `network.addresses`"), "{hint}");
                assert!(hint.contains("`127.0.0.1`") || hint.contains("`::1`"), "{hint}");
                assert!(denial.message.contains(host), "{}", denial.message);
            }
            other => panic!("{host} {addresses:?}: {other:?}"),
        }
        assert_eq!(endpoint.connections(), 0, "{host} {addresses:?}");
    }
}

#[tokio::test]
async fn services_that_hand_out_a_clouds_credentials_are_out_of_reach() {
    for host in ["169.254.169.254", "168.63.129.16", "100.100.100.200", "10.0.0.1", "0.0.0.0", "255.255.255.255"] {
        let endpoint = TokenEndpoint::start(issuing()).await.unwrap();
        let home = Home::signed_in(1).unwrap();
        // No server listens at these addresses in a test, so a connection would fail with another
        // error than a denial.
        match get(looked_up(&home, &endpoint, host, &["loopback"]).unwrap()).await {
            Err(Error::Denied(denial)) => assert!(denial.message.contains(host), "{}", denial.message),
            other => panic!("{host}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_time_is_asked_of_no_address_that_is_not_allowed_either() {
    for host in ["localhost", "127.0.0.1"] {
        let endpoint = TokenEndpoint::start(issuing()).await.unwrap();
        let home = Home::signed_in(1).unwrap();
        let credential = looked_up(&home, &endpoint, host, &[]).unwrap().build().unwrap();
        assert!(matches!(credential.clock_skew().await, Err(Error::Denied(_))), "{host}");
        assert_eq!(endpoint.connections(), 0);
    }
}

#[tokio::test]
async fn an_address_that_the_program_gives_for_a_host_is_named_by_that() {
    let endpoint = TokenEndpoint::start(issuing()).await.unwrap();
    let home = Home::signed_in(1).unwrap();
    let policy = home::policy(Access::ReadWrite);
    assert!(policy.addresses().is_empty());
    assert_eq!(get(home.credential(&endpoint).unwrap().policy(policy)).await.unwrap(), "at-1");
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let other = TokenEndpoint::start(issuing()).await.unwrap();
        // The other server is reachable: its name resolves to this machine, and its certificate is
        // trusted.
        let location = format!("https://{AUTHORITY}:{}/organizations/oauth2/v2.0/token", other.address().port());
        let endpoint = TokenEndpoint::start(move |_| Reply::json(status, token()).header("Location", &location));
        let endpoint = endpoint.await.unwrap();
        let home = Home::signed_in(1).unwrap();
        let transport = home.transport(&endpoint).unwrap();
        let roots = format!("{}{}", endpoint.ca_pem(), other.ca_pem());
        fs::write(transport.ca_file.as_ref().unwrap(), roots).unwrap();
        let error = get(home.builder().transport(transport)).await.unwrap_err();
        assert_eq!(error.kind(), "unreachable", "{status}: {error}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        assert_eq!((endpoint.requests().len(), other.connections()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn a_reply_has_a_largest_size_however_it_is_sent() {
    let padded = |bytes: usize| {
        let mut body = token();
        body["padding"] = "x".repeat(bytes).into();
        Reply::json(200, body)
    };
    let endless = Reply::bytes(200, "application/json", " ".repeat(1 << 10)).in_chunks(usize::MAX);
    for (what, reply, fits) in [
        ("with its length", padded(60_000), true),
        ("with its length", padded(70_000), false),
        ("in chunks", padded(60_000).in_chunks(1), true),
        ("in chunks", padded(70_000).in_chunks(1), false),
        ("without end", endless, false),
        ("an error", Reply { status: 400, ..padded(70_000) }, false),
    ] {
        let endpoint = TokenEndpoint::start(move |_| reply.clone()).await.unwrap();
        let home = Home::signed_in(1).unwrap();
        let mut limits = Limits::default();
        limits.response_size = 64 << 10;
        let policy = home::policy(Access::ReadWrite).with_limits(limits);
        match get(home.credential(&endpoint).unwrap().policy(policy)).await {
            Ok(_) => assert!(fits, "{what}"),
            Err(Error::Limit(limit)) => {
                assert!(!fits && limit.field == Some("limits.response-kib"), "{what}: {limit}");
            }
            Err(other) => panic!("{what}: {other:?}"),
        }
        assert_eq!(endpoint.requests().len(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_compressed_reply_is_neither_asked_for_nor_unpacked() {
    let packed = gzip::stored(token().to_string().as_bytes());
    let reply = Reply::bytes(200, "application/json", packed).header("Content-Encoding", "gzip");
    let endpoint = TokenEndpoint::start(move |_| reply.clone()).await.unwrap();
    let home = Home::signed_in(1).unwrap();
    let error = get(home.credential(&endpoint).unwrap()).await.unwrap_err();
    assert_eq!(error.reason(), Some("unexpected-response"), "{error}");
    assert_eq!(endpoint.requests()[0].header("accept-encoding"), None);
}

#[tokio::test]
async fn certificates_are_believed_if_they_are_valid_for_the_host_and_by_a_known_authority() {
    for (certificate, named, refused) in [
        (Certificate::Good, true, None),
        (Certificate::Good, false, Some("--ca-file FILE")),
        (Certificate::OtherHost, true, Some("another server")),
        (Certificate::Expired, true, Some("clock")),
        (Certificate::NotYetValid, true, Some("clock")),
        (Certificate::SelfSigned, false, Some("--ca-file FILE")),
        (Certificate::SelfSigned, true, None),
    ] {
        let setup = Setup { certificate, ..Setup::default() };
        let endpoint = TokenEndpoint::start_as(setup, issuing()).await.unwrap();
        let (relay, connections) = relay_to(endpoint.address()).unwrap();
        let home = Home::signed_in(1).unwrap();
        let mut transport = home.transport(&endpoint).unwrap();
        transport.resolve = vec![(AUTHORITY.to_owned(), relay)];
        if !named {
            let other = TokenEndpoint::start(issuing()).await.unwrap();
            fs::write(transport.ca_file.as_ref().unwrap(), other.ca_pem()).unwrap();
        }
        match (get(home.builder().transport(transport)).await, refused) {
            (Ok(_), None) => {}
            (Err(Error::Unreachable(failed)), Some(part)) => {
                let (message, hint) = (failed.message, failed.hint.unwrap_or_default());
                assert!(message.contains("certificate") && message.contains("issued by"), "{certificate:?}: {message}");
                assert!(hint.contains(part), "{certificate:?}, named: {named}: {hint}");
                assert!(endpoint.requests().is_empty(), "{certificate:?}");
            }
            (other, _) => panic!("{certificate:?}, named: {named}: {other:?}"),
        }
        assert_eq!(connections.try_iter().count(), 1, "a bad certificate is final: {certificate:?}, named: {named}");
    }
}

#[tokio::test]
async fn servers_of_tls_1_2_and_of_tls_1_3_are_understood() {
    for tls in [Tls::Only12, Tls::Only13] {
        let setup = Setup { tls, ..Setup::default() };
        let endpoint = TokenEndpoint::start_as(setup, issuing()).await.unwrap();
        let home = Home::signed_in(1).unwrap();
        assert_eq!(get(home.credential(&endpoint).unwrap()).await.unwrap(), "at-1", "{tls:?}");
    }
}

/// The body of the first extension of a kind in a ClientHello record (RFC 8446, section 4.1.2).
fn extension(record: &[u8], kind: [u8; 2]) -> Option<&[u8]> {
    let length = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    // The headers of the record and of the message, the version and the random number.
    let rest = record.get(5 + 4 + 2 + 32..)?;
    let rest = rest.get(1 + length(rest.get(..1)?)..)?; // session
    let rest = rest.get(2 + length(rest.get(..2)?)..)?; // cipher suites
    let rest = rest.get(1 + length(rest.get(..1)?)..)?; // compression
    let mut rest = rest.get(2..)?;
    loop {
        let (found, end) = (rest.get(..2)?, 4 + length(rest.get(2..4)?));
        if found == kind {
            return rest.get(4..end);
        }
        rest = rest.get(end..)?;
    }
}

/// The response of a server with TLS 1.1 only: a ServerHello with a cipher suite of that time (RFC
/// 4346, section 7.4.1.3).
fn server_hello_of_tls_1_1() -> Vec<u8> {
    let hello = [&[3, 2][..], &[7; 32], &[0], &[0, 0x2f], &[0]].concat();
    let message = [&[2, 0, 0, hello.len() as u8][..], &hello].concat();
    [&[22, 3, 2, 0, message.len() as u8][..], &message].concat()
}

#[tokio::test]
async fn nothing_older_than_tls_1_2_is_offered_or_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = Home::signed_in(1).unwrap();
    let mut transport = TransportOptions::default();
    transport.resolve = vec![(AUTHORITY.to_owned(), listener.local_addr().unwrap())];
    (transport.proxy_from_env, transport.most_retries) = (false, 0);
    let server = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await?;
        let mut hello = vec![0; 5];
        client.read_exact(&mut hello).await?;
        hello.resize(5 + usize::from(u16::from_be_bytes([hello[3], hello[4]])), 0);
        client.read_exact(&mut hello[5..]).await?;
        client.write_all(&server_hello_of_tls_1_1()).await?;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await?;
        io::Result::Ok((hello, answer))
    });
    let error = get(home.builder().transport(transport)).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");

    let (hello, answer) = tokio::time::timeout(Duration::from_secs(10), server).await.unwrap().unwrap().unwrap();
    let offered = &extension(&hello, [0, 43]).unwrap()[1..];
    // TLS 1.2 is 3.3, and 1.3 is 3.4.
    let versions: BTreeSet<_> = offered.chunks(2).map(<[u8]>::to_vec).collect();
    assert_eq!(versions, BTreeSet::from([vec![3, 3], vec![3, 4]]));
    // An alert (21), fatal (2): protocol_version (70).
    assert_eq!((answer[0], &answer[5..]), (21, &[2, 70][..]), "{answer:?}");
}

#[test]
fn the_policy_of_the_current_user_names_no_address() {
    assert!(Policy::for_current_user(Default::default()).addresses().is_empty());
}
