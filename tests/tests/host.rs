//! The library with real files and a real TLS endpoint, for behaviour that a case can't express:
//! concurrency, retries, limits.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use shared_token_cache::policy::{Access, AllowedClient, AllowedScope, Limits, Policy};
use shared_token_cache::{Error, SharedTokenCacheCredential};
use shared_token_cache_tests::home::{self, Home};
use token_endpoint::{Received, Reply, TokenEndpoint};

const VAULT: &str = "https://vault.azure.net/.default";

/// An endless series of numbered tokens, each with a new refresh token.
fn issuing() -> impl FnMut(&Received) -> Reply + Send + 'static {
    let mut issued = 0;
    move |_| {
        issued += 1;
        token(issued)
    }
}

fn token(number: usize) -> Reply {
    let body = json!({
        "token_type": "Bearer", "expires_in": 3600, "access_token": format!("at-{number}"),
        "refresh_token": format!("rt-new-{number}"), "foci": "1",
    });
    Reply::json(200, body)
}

fn error(status: u16) -> Reply {
    Reply::json(status, json!({ "error": "temporarily_unavailable" }))
}

async fn get(credential: &SharedTokenCacheCredential, scope: &str) -> Result<String, Error> {
    credential.get_token(&[scope]).await.map(|token| token.token.expose().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_tasks_that_ask_for_the_same_token_cause_one_request() {
    let home = Home::signed_in(1).unwrap();
    let mut issue = issuing();
    let slow = move |request: &Received| issue(request).after(Duration::from_millis(100));
    let endpoint = TokenEndpoint::start(slow).await.unwrap();
    let credential = home.credential(&endpoint).unwrap().build().unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let credential = credential.clone();
            tokio::spawn(async move { get(&credential, VAULT).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "at-1");
    }
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_ask_for_different_tokens_run_at_the_same_time_and_lose_nothing() {
    let home = Home::signed_in(1).unwrap();
    let endpoint = TokenEndpoint::start(issuing()).await.unwrap();
    let credential = home.credential(&endpoint).unwrap().build().unwrap();
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let credential = credential.clone();
            tokio::spawn(
                async move { get(&credential, &format!("https://resource{number}.contoso.com/.default")).await },
            )
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let document = home.read().unwrap();
    assert_eq!(document["AccessToken"].as_object().unwrap().len(), 40);
    assert_eq!(document["RefreshToken"].as_object().unwrap().len(), 1);
    assert_eq!(endpoint.requests().len(), 40);

    let other = home.credential(&endpoint).unwrap().build().unwrap();
    for number in 0..40 {
        get(&other, &format!("https://resource{number}.contoso.com/.default")).await.unwrap();
    }
    assert_eq!(endpoint.requests().len(), 40, "every token is in the file");
}

#[tokio::test]
async fn a_call_that_is_abandoned_leaves_the_credential_usable() {
    let home = Home::signed_in(1).unwrap();
    let mut issue = issuing();
    let slow = move |request: &Received| issue(request).after(Duration::from_millis(200));
    let endpoint = TokenEndpoint::start(slow).await.unwrap();
    let credential = home.credential(&endpoint).unwrap().build().unwrap();
    let abandoned = tokio::time::timeout(Duration::from_millis(50), get(&credential, VAULT)).await;
    assert!(abandoned.is_err());
    assert!(get(&credential, VAULT).await.unwrap().starts_with("at-"));
}

#[tokio::test]
async fn a_request_is_repeated_after_503_with_an_id_of_its_own() {
    let home = Home::signed_in(1).unwrap();
    let mut replies = vec![token(1), error(429).header("Retry-After", "0"), error(503)];
    let endpoint = TokenEndpoint::start(move |_| replies.pop().unwrap()).await.unwrap();
    let credential = home.credential(&endpoint).unwrap().build().unwrap();
    assert_eq!(get(&credential, VAULT).await.unwrap(), "at-1");

    let requests = endpoint.requests();
    assert_eq!(requests.len(), 3);
    let ids: std::collections::HashSet<_> =
        requests.iter().map(|request| request.header("client-request-id")).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(requests.iter().all(|request| request.form == requests[0].form));
}

#[tokio::test]
async fn an_authority_that_wants_a_long_rest_gets_it() {
    let home = Home::signed_in(1).unwrap();
    let endpoint = TokenEndpoint::start(|_| error(429).header("Retry-After", "3600")).await.unwrap();
    let credential = home.credential(&endpoint).unwrap().build().unwrap();
    assert!(matches!(get(&credential, VAULT).await, Err(Error::Unreachable(_))));
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn retries_are_bounded() {
    for reply in [error(503), Reply::hang_up()] {
        let home = Home::signed_in(1).unwrap();
        let endpoint = TokenEndpoint::start(move |_| reply.clone()).await.unwrap();
        let credential = home.credential(&endpoint).unwrap().build().unwrap();
        assert!(matches!(get(&credential, VAULT).await, Err(Error::Unreachable(_))));
        assert_eq!(endpoint.requests().len(), 4);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let home = Home::signed_in(1).unwrap();
    let elsewhere = "https://localhost/organizations/oauth2/v2.0/token";
    let endpoint =
        TokenEndpoint::start(move |_| Reply::json(307, json!({})).header("Location", elsewhere)).await.unwrap();
    let credential = home.credential(&endpoint).unwrap().build().unwrap();
    let error = get(&credential, VAULT).await.unwrap_err();
    assert_eq!((error.kind(), error.reason()), ("unreachable", None));
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn a_response_has_a_largest_size() {
    let home = Home::signed_in(1).unwrap();
    let body = json!({ "access_token": "x".repeat(70_000), "expires_in": 3600 });
    let endpoint = TokenEndpoint::start(move |_| Reply::json(200, body.clone())).await.unwrap();
    let mut limits = Limits::default();
    limits.response_size = 64 << 10;
    let policy = home::policy(Access::ReadWrite).with_limits(limits);
    let credential = home.credential(&endpoint).unwrap().policy(policy).build().unwrap();
    let error = get(&credential, VAULT).await.unwrap_err();
    assert!(matches!(&error, Error::Limit(limit) if limit.field == Some("limits.response-kib")), "{error:?}");
    assert!(error.to_string().contains("65536 bytes"), "{error}");
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request_until_the_credential_is_closed() {
    let home = Home::signed_in(1).unwrap();
    let endpoint = TokenEndpoint::start(issuing()).await.unwrap();
    let credential = home.credential(&endpoint).unwrap().build().unwrap();
    get(&credential, "a").await.unwrap();
    get(&credential, "b").await.unwrap();
    assert_eq!((endpoint.requests().len(), endpoint.connections()), (2, 1));
    credential.close().await.unwrap();
    credential.close().await.unwrap();
    get(&credential, "c").await.unwrap();
    assert_eq!((endpoint.requests().len(), endpoint.connections()), (3, 2));
}

#[tokio::test]
async fn the_host_names_itself_and_the_request() {
    let home = Home::signed_in(1).unwrap();
    let endpoint = TokenEndpoint::start(issuing()).await.unwrap();
    let credential = home.credential(&endpoint).unwrap().build().unwrap();
    get(&credential, VAULT).await.unwrap();
    let request = &endpoint.requests()[0];
    assert_eq!(request.header("user-agent"), Some("shared-token-cache/0.1.0"));
    assert_eq!(request.header("return-client-request-id"), Some("true"));
    assert_eq!(request.header("client-request-id").map(str::len), Some(36));
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(request.header("x-client-sku"), Some("shared-token-cache"));
    assert_eq!(request.header("x-anchormailbox"), Some("Oid:uid-00000000@utid-00000000"));
}

#[tokio::test]
async fn an_authority_with_an_unknown_certificate_gets_nothing() {
    let home = Home::signed_in(1).unwrap();
    let endpoint = TokenEndpoint::start(issuing()).await.unwrap();
    let other = TokenEndpoint::start(issuing()).await.unwrap();
    let mut transport = home.transport(&endpoint).unwrap();
    fs::write(transport.ca_file.as_ref().unwrap(), other.ca_pem()).unwrap();
    transport.most_retries = 0;
    let credential = home.builder().transport(transport).build().unwrap();
    match get(&credential, VAULT).await {
        Err(Error::Unreachable(failed)) => assert!(failed.message.contains("certificate"), "{failed:?}"),
        other => panic!("{other:?}"),
    }
    assert!(endpoint.requests().is_empty());
}

#[tokio::test]
async fn a_cache_that_may_only_be_read_serves_a_new_token_and_stays_as_it_is() {
    let home = Home::signed_in(1).unwrap();
    let before = fs::read(home.cache()).unwrap();
    let endpoint = TokenEndpoint::start(issuing()).await.unwrap();
    let credential = home.credential(&endpoint).unwrap().policy(home::policy(Access::Read)).build().unwrap();
    assert_eq!(get(&credential, VAULT).await.unwrap(), "at-1");
    assert_eq!(get(&credential, VAULT).await.unwrap(), "at-1", "the token is kept in memory");
    assert_eq!(fs::read(home.cache()).unwrap(), before);
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn a_held_lock_does_not_keep_the_token_from_its_caller() {
    let home = Home::signed_in(1).unwrap();
    let before = fs::read(home.cache()).unwrap();
    let lock = home.cache().with_extension("nocae.lockfile");
    fs::write(&lock, format!("{} another", std::process::id())).unwrap();
    let endpoint = TokenEndpoint::start(issuing()).await.unwrap();
    let credential = home.credential(&endpoint).unwrap().build().unwrap();
    assert_eq!(get(&credential, VAULT).await.unwrap(), "at-1");
    assert_eq!(fs::read(home.cache()).unwrap(), before);
    assert!(lock.exists(), "a live holder keeps its lock");
}

#[tokio::test]
async fn limits_end_calls_that_use_too_much() {
    let slow = |_: &Received| token(1).after(Duration::from_secs(20));
    let endpoint = TokenEndpoint::start(slow).await.unwrap();
    let limited = |home: &Home, change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        home.credential(&endpoint).unwrap().policy(home::policy(Access::ReadWrite).with_limits(limits)).build().unwrap()
    };

    let home = Home::signed_in(1).unwrap();
    let hurried = limited(&home, |limits| limits.call_time = Duration::from_millis(100));
    assert!(matches!(get(&hurried, VAULT).await, Err(Error::Limit(_))));

    let large = Home::signed_in(20_000).unwrap();
    let short_of_memory = limited(&large, |limits| limits.guest_memory = 8 << 20);
    assert!(matches!(get(&short_of_memory, VAULT).await, Err(Error::Limit(_))));
    let short_of_document = limited(&large, |limits| limits.document_size = 1 << 20);
    let error = get(&short_of_document, VAULT).await.unwrap_err();
    assert!(matches!(&error, Error::Limit(limit) if limit.field == Some("limits.document-mib")), "{error:?}");
    assert!(endpoint.requests().len() <= 1);
}

#[tokio::test]
async fn without_a_policy_nothing_is_read_or_sent() {
    let home = Home::signed_in(1).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let endpoint = TokenEndpoint::start(move |_| {
        counting.fetch_add(1, Ordering::SeqCst);
        token(1)
    })
    .await
    .unwrap();
    let build = |policy: &Policy| home.credential(&endpoint).unwrap().policy(policy.clone()).build();
    let policy = Policy::default();
    assert_eq!(build(&policy).unwrap_err().kind(), "denied");
    // Each permission lets the call get one step further, and the token needs all of them.
    let policy = policy.allow_client(AllowedClient::ANY);
    assert_eq!(get(&build(&policy).unwrap(), VAULT).await.unwrap_err().kind(), "denied");
    let policy = policy.allow_scope(AllowedScope::ANY);
    let error = get(&build(&policy).unwrap(), VAULT).await.unwrap_err();
    assert!(matches!(&error, Error::Denied(denial) if denial.hint.is_some()), "{error:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_component_and_the_library_agree_on_what_is_supported() {
    let home = Home::signed_in(0).unwrap();
    let credential = home.builder().build().unwrap();
    assert_eq!(credential.component_supported().await.unwrap(), SharedTokenCacheCredential::supported());
}
