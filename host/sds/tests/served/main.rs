//! The server as its readers see it: over a real socket, with tonic's client.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod agent;
mod client;

use std::time::Duration;

use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use agent::Agent;
use client::{Client, origin, token};

/// Long enough for everything that must happen, and short enough to wait for in a test.
const SOON: Duration = Duration::from_secs(5);
const A_WHILE: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_reader_has_the_token_and_each_new_one() {
    let agent = Agent::start(&["a", "b"]);
    agent.board.post("a", token("1"));
    let mut reader = Client::connect(&agent).await.read(&["a"]).await;
    assert_eq!(reader.next().await, [("a".into(), "1".into())]);
    reader.accept(&["a"]).await;
    agent.board.post("b", token("x"));
    agent.board.post("a", token("2"));
    assert_eq!(reader.next().await, [("a".into(), "2".into())]);
    reader.reject(&["a"], "no").await;
    agent.board.post("a", shared_token_cache_sds::Secret::Withdrawn);
    assert_eq!(reader.next().await, [("a".into(), String::new())]);
    reader.accept(&["a"]).await;
    agent.until(|stats| (stats.pushed(), stats.accepted(), stats.rejected()) == (3, 2, 1)).await;
    assert_eq!(agent.stats.streams(), 1);
    drop(reader);
    agent.until(|stats| stats.streams() == 0).await;
}

#[tokio::test]
async fn a_reader_waits_until_the_name_has_a_token() {
    let agent = Agent::start(&["a"]);
    let mut reader = Client::connect(&agent).await.read(&["a"]).await;
    assert!(tokio::time::timeout(A_WHILE, reader.next()).await.is_err());
    agent.board.post("a", token("1"));
    assert_eq!(reader.next().await, [("a".into(), "1".into())]);
}

#[tokio::test]
async fn an_unknown_name_ends_the_stream_with_a_status() {
    let agent = Agent::start(&["a"]);
    agent.board.post("a", token("1"));
    let mut reader = Client::connect(&agent).await.read(&["https://graph.microsoft.com/.default"]).await;
    let status = reader.status().await;
    assert_eq!(status.code(), Code::NotFound);
    agent.until(|stats| stats.streams() == 0).await;
}

#[tokio::test]
async fn each_of_many_readers_gets_its_own_token() {
    let names: Vec<String> = (0..50).map(|number| format!("p/{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let agent = Agent::start(&names);
    let mut readers = Vec::new();
    for name in &names {
        // Some share a connection, as Envoy's do.
        let client = Client::connect(&agent).await;
        readers.push((*name, client.read(&[name]).await));
        readers.push((*name, client.read(&[name]).await));
    }
    agent.until(|stats| stats.streams() == 100).await;
    for round in 0..5 {
        names.iter().for_each(|name| agent.board.post(name, token(&format!("{name} {round}"))));
        for (name, reader) in &mut readers {
            // A slow reader gets only the last of several changes.
            while reader.next().await != [((*name).to_owned(), format!("{name} {round}"))] {}
        }
    }
}

#[tokio::test]
async fn readers_get_the_last_state_before_the_server_ends() {
    let agent = Agent::start(&["a", "b"]);
    agent.board.post("a", token("1"));
    let client = Client::connect(&agent).await;
    let (mut good, mut silent) = (client.read(&["a"]).await, client.read(&["a"]).await);
    for reader in [&mut good, &mut silent] {
        assert_eq!(reader.next().await, [("a".into(), "1".into())]);
        reader.accept(&["a"]).await;
    }
    let path = agent.path.clone();
    assert!(path.exists());
    agent.board.withdraw_all();
    let stopped = tokio::spawn(agent.stop());
    for reader in [&mut good, &mut silent] {
        assert_eq!(reader.next().await, [("a".into(), String::new())]);
    }
    good.accept(&["a"]).await;
    assert!(good.is_over().await && silent.is_over().await, "also one that does not answer");
    tokio::time::timeout(SOON, stopped).await.unwrap().unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn health_covers_the_server_and_each_profile() {
    let agent = Agent::start(&["a", "b"]);
    agent.board.post("a", token("1"));
    let mut health = HealthClient::with_origin(Client::connect(&agent).await.connection, origin());
    let mut check = async |service: &str| {
        let request = HealthCheckRequest { service: service.into() };
        health.check(request).await.map(|response| response.into_inner().status().as_str_name())
    };
    // Statuses follow the board with a short delay.
    let mut until = async |service: &str, expected: &str| {
        let waiting = async { while !check(service).await.is_ok_and(|status| status == expected) {} };
        assert!(tokio::time::timeout(SOON, waiting).await.is_ok(), "{service:?} {expected}");
    };
    for (service, status) in
        [("", "SERVING"), (shared_token_cache_sds::SERVICE, "SERVING"), ("a", "SERVING"), ("b", "NOT_SERVING")]
    {
        until(service, status).await;
    }
    agent.board.withdraw_all();
    until("a", "NOT_SERVING").await;
    assert_eq!(check("c").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn all_other_methods_are_unimplemented() {
    let agent = Agent::start(&["a"]);
    let client = Client::connect(&agent).await;
    for method in ["DeltaSecrets", "FetchSecrets", "Anything"] {
        assert_eq!(client.call(method).await.code(), Code::Unimplemented, "{method}");
    }
}
