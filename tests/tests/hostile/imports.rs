//! One component that calls every import with many names, URLs, header fields and sizes.

#![allow(clippy::panic, reason = "helpers of tests")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use shared_token_cache::policy::{Access, Limits, Policy};
use shared_token_cache::{Builder, Error, SharedTokenCacheCredential};
use shared_token_cache_tests::home::{self, AUTHORITY, Home};
use shared_token_cache_tests::listen::Listener;
use token_endpoint::{Reply, TokenEndpoint};

fn hostile(home: &Home) -> Builder {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/component/hostile.wasm");
    home.builder().component(path)
}

fn limited(change: impl FnOnce(&mut Limits)) -> Policy {
    let mut limits = Limits::default();
    change(&mut limits);
    home::policy(Access::ReadWrite).with_limits(limits)
}

async fn instruct(credential: &SharedTokenCacheCredential, words: &[&str]) -> Result<String, Error> {
    match credential.get_token(words).await {
        Err(Error::InvalidArgument(answer)) => Ok(answer),
        Err(error) => Err(error),
        Ok(token) => panic!("{token:?} came out"),
    }
}

fn endpoint_url() -> String {
    format!("https://{AUTHORITY}/organizations/oauth2/v2.0/token")
}

#[tokio::test]
async fn a_component_that_computes_does_not_keep_others_from_running() {
    let home = Home::signed_in(1).unwrap();
    let policy = limited(|limits| limits.call_time = Duration::from_millis(500));
    let credential = hostile(&home).policy(policy).build().unwrap();
    // This runtime has one thread: the second call is answered while the first still spins.
    let spinning = instruct(&credential, &["spin"]);
    let working = instruct(&credential, &["work"]);
    tokio::pin!(spinning);
    tokio::select! {
        biased;
        ended = &mut spinning => panic!("{ended:?}"),
        worked = working => assert_eq!(worked.unwrap(), "worked"),
    }
    assert!(matches!(spinning.await, Err(Error::Limit(_))));
}

#[tokio::test]
async fn a_component_has_the_memory_that_the_policy_gives_it() {
    let home = Home::signed_in(1).unwrap();
    let policy = limited(|limits| limits.guest_memory = 16 << 20);
    let credential = hostile(&home).policy(policy).build().unwrap();
    match instruct(&credential, &["allocate"]).await {
        Err(Error::Limit(limit)) => assert!(limit.message.contains("16 MiB"), "{limit}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(instruct(&credential, &["work"]).await.unwrap(), "worked");
}

#[tokio::test]
async fn documents_that_are_not_granted_can_be_neither_read_nor_replaced() {
    let home = Home::signed_in(1).unwrap();
    fs::write(home.path().join("secret.nocae"), "{}").unwrap();
    let credential = hostile(&home).build().unwrap();
    for name in [
        "other.nocae",
        "../secret.nocae",
        "/etc/passwd",
        "msal.cache",
        "msal.cache.nocae/../msal.cache.nocae",
        "msal.cache.nocae\u{0}",
        "",
    ] {
        let read = instruct(&credential, &["read", name]).await.unwrap();
        assert!(read.starts_with("Err(ReadError::Denied("), "{name:?}: {read}");
        let replaced = instruct(&credential, &["replace", name, "", "{}"]).await.unwrap();
        assert!(replaced.starts_with("Err(WriteError::Denied("), "{name:?}: {replaced}");
    }
    assert_eq!(fs::read_to_string(home.path().join("secret.nocae")).unwrap(), "{}");
}

#[tokio::test]
async fn a_document_is_replaced_only_with_leave_and_at_its_version() {
    let home = Home::signed_in(1).unwrap();
    let before = fs::read(home.cache()).unwrap();
    let name = "msal.cache.nocae";

    let reader = hostile(&home).policy(home::policy(Access::Read)).build().unwrap();
    let replaced = instruct(&reader, &["replace", name, "1", "{}"]).await.unwrap();
    assert!(replaced.contains("for reading only"), "{replaced}");

    let writer = hostile(&home).policy(limited(|limits| limits.document_size = 4096)).build().unwrap();
    for version in ["", "1", "made-up"] {
        let replaced = instruct(&writer, &["replace", name, version, "{}"]).await.unwrap();
        assert_eq!(replaced, "Err(WriteError::Conflict)", "{version:?}");
    }
    let replaced = instruct(&writer, &["replace-with", name, "4097"]).await.unwrap();
    assert!(replaced.contains("limits.document-mib"), "{replaced}");
    assert_eq!(fs::read(home.cache()).unwrap(), before);
}

#[tokio::test]
async fn forms_go_to_allowed_token_endpoints_and_nowhere_else() {
    let home = Home::signed_in(1).unwrap();
    let endpoint = TokenEndpoint::start(|_| Reply::json(200, serde_json::json!({}))).await.unwrap();
    let credential = hostile(&home).transport(home.transport(&endpoint).unwrap()).build().unwrap();
    let port = endpoint.address().port();
    for url in [
        format!("https://localhost:{port}/organizations/oauth2/v2.0/token"),
        format!("https://{AUTHORITY}:{port}/organizations/oauth2/v2.0/token"),
        format!("http://{AUTHORITY}/organizations/oauth2/v2.0/token"),
        format!("https://{AUTHORITY}/organizations/oauth2/v2.0/devicecode"),
        format!("https://{AUTHORITY}@evil.example/organizations/oauth2/v2.0/token"),
    ] {
        let posted = instruct(&credential, &["post", &url]).await.unwrap();
        assert!(posted.starts_with("Err(HttpsError::Denied("), "{url}: {posted}");
    }
    let url = endpoint_url();
    for (name, value) in [("Authorization", "x"), ("Host", "x"), ("x-client-sku", "a\nb"), ("Cookie", "x")] {
        let posted = instruct(&credential, &["post-with-header", &url, name, value]).await.unwrap();
        assert!(posted.starts_with("Err(HttpsError::Denied("), "{name}: {posted}");
    }
    let posted = instruct(&credential, &["post-large", &url, "262144"]).await.unwrap();
    assert!(posted.starts_with("Err(HttpsError::Denied("), "{posted}");
    assert!(endpoint.requests().is_empty());

    let posted = instruct(&credential, &["post", &url]).await.unwrap();
    assert!(posted.starts_with("Err(HttpsError::Denied("), "a form without a refresh token: {posted}");
    assert!(endpoint.requests().is_empty());
}

#[test]
fn log_lines_are_capped_in_number_and_length_and_stay_lines() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let home = Home::signed_in(1).unwrap();
    let listener = Listener::default();
    listener.during(|| {
        runtime.block_on(async {
            let credential = hostile(&home).build().unwrap();
            let text = format!("first\nsecond\u{1b}[31m {}", "x".repeat(5_000));
            assert_eq!(instruct(&credential, &["log", "1000", &text]).await.unwrap(), "logged");
        });
    });
    let lines: Vec<_> =
        listener.lines().into_iter().filter(|line| line.starts_with("shared_token_cache::component")).collect();
    assert_eq!(lines.len(), 100);
    for line in lines {
        assert!(
            line.contains("component: first\\u{a}second\\u{1b}[31m") && line.len() < 2_100 && !line.contains('\n'),
            "{line:?}"
        );
    }
}
