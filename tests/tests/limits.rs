//! A call that exceeds a limit ends with an error that names the limit; the next call works.

#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use shared_token_cache::policy::{Access, Limits, Policy};
use shared_token_cache::{Builder, Clock, Error, LimitExceeded, SharedTokenCacheCredential};
use shared_token_cache_tests::extended::{Sections, number, with_instances};
use shared_token_cache_tests::home::{self, AUTHORITY, Home};
use token_endpoint::{Received, Reply, TokenEndpoint};

type Change = fn(&mut Limits);

fn limited(change: impl FnOnce(&mut Limits)) -> Policy {
    let mut limits = Limits::default();
    change(&mut limits);
    home::policy(Access::ReadWrite).with_limits(limits)
}

fn hostile() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/component/hostile.wasm")
}

/// The hostile component's result of a command.
async fn instruct(credential: &SharedTokenCacheCredential, words: &[&str]) -> Result<String, LimitExceeded> {
    match credential.get_token(words).await {
        Err(Error::InvalidArgument(answer)) => Ok(answer),
        Err(Error::Limit(limit)) => Err(limit),
        other => panic!("{words:?}: {other:?}"),
    }
}

#[tokio::test]
async fn a_call_that_goes_over_a_limit_ends_with_its_name_and_the_next_one_works() {
    let home = Home::signed_in(1).unwrap();
    let url = format!("https://{AUTHORITY}/organizations/oauth2/v2.0/token");
    let large = (3 << 20).to_string();
    for (field, change, words) in [
        (
            Some("limits.call-seconds"),
            (|limits| limits.call_time = Duration::from_millis(200)) as Change,
            &["spin"][..],
        ),
        (Some("limits.guest-memory-mib"), |limits| limits.guest_memory = 16 << 20, &["allocate"]),
        (Some("limits.document-mib"), |limits| limits.document_size = 1 << 20, &["post-large", &url, &large]),
        (Some("limits.document-mib"), |limits| limits.document_size = 1 << 20, &["answer", &large]),
        (Some("limits.answer-mib"), |limits| limits.answer_size = 2 << 20, &["answer", &large]),
        (None, |_| {}, &["nest"]),
    ] {
        let credential = home.builder().component(hostile()).policy(limited(change)).build().unwrap();
        let limit = instruct(&credential, words).await.unwrap_err();
        assert_eq!((limit.field, limit.retry_after), (field, None), "{limit}");
        assert!(limit.message.contains(field.unwrap_or("stack")), "{limit}");
        assert_eq!(instruct(&credential, &["work"]).await.unwrap(), "worked", "after {field:?}");
    }
    // Within the limits, all of these calls succeed.
    let credential = home.builder().component(hostile()).build().unwrap();
    let answer = instruct(&credential, &["answer", &large]).await.unwrap();
    assert!(answer.len() < 20 << 10 && answer.ends_with("x…"), "a message is truncated");
    assert!(instruct(&credential, &["post-large", &url, &large]).await.unwrap().contains("a form may have"));
}

/// `(start)` that grows the table by 200,000 elements.
const GROWING: Sections<'_> = &[
    (1, &[1, 0x60, 0, 0]),
    (3, &[1, 0]),
    (4, &[1, 0x70, 0, 1]),
    (8, &[0]),
    (10, &[1, 12, 0, 0xd0, 0x70, 0x41, 0xc0, 0x9a, 0x0c, 0xfc, 0x0f, 0, 0x1a, 0x0b]),
];
const SIXTEEN_MIB_OF_MEMORY: Sections<'_> = &[(5, &[1, 0, 0x80, 2])];
const A_MEMORY: Sections<'_> = &[(5, &[1, 0, 1])];
const A_TABLE: Sections<'_> = &[(4, &[1, 0x70, 0, 1])];
const A_TABLE_OF_60_000: Sections<'_> = &[(4, &[1, 0x70, 0, 0xe0, 0xd4, 3])];

#[tokio::test]
async fn the_parts_of_a_component_are_limited() {
    let home = Home::signed_in(1).unwrap();
    let component = fs::read(hostile()).unwrap();
    let path = home.path().join("extended.wasm");
    let extend = |sections, instances| fs::write(&path, with_instances(&component, sections, instances).unwrap());
    let credential = |change: Change| home.builder().component(&path).policy(limited(change)).build().unwrap();
    // The component itself has three instances, one memory and two tables.
    for (what, sections, enough, too_many) in [
        ("16 core instances", &[][..], 13, 14),
        ("4 memories", A_MEMORY, 3, 4),
        ("4 tables", A_TABLE, 2, 3),
        ("100000 table elements", A_TABLE_OF_60_000, 1, 2),
        ("100000 table elements", GROWING, 0, 1),
    ] {
        extend(sections, too_many).unwrap();
        let limit = instruct(&credential(|_| {}), &["work"]).await.unwrap_err();
        assert!(limit.field.is_none() && limit.message.ends_with(what), "{limit}");
        extend(sections, enough).unwrap();
        assert_eq!(instruct(&credential(|_| {}), &["work"]).await.unwrap(), "worked", "{what}");
    }
    extend(SIXTEEN_MIB_OF_MEMORY, 2).unwrap();
    let limit = instruct(&credential(|limits| limits.guest_memory = 24 << 20), &["work"]).await.unwrap_err();
    assert_eq!(limit.field, Some("limits.guest-memory-mib"), "{limit}");
    assert_eq!(instruct(&credential(|limits| limits.guest_memory = 40 << 20), &["work"]).await.unwrap(), "worked");
}

#[test]
fn a_component_is_not_loaded_from_a_file_that_is_too_large() {
    let home = Home::signed_in(1).unwrap();
    let size = fs::metadata(hostile()).unwrap().len();
    let load =
        |most: u64| home.builder().component(hostile()).policy(limited(|limits| limits.component_size = most)).build();
    assert!(load(size).is_ok());
    match load(size - 1) {
        Err(Error::Limit(limit)) => assert_eq!(limit.field, Some("limits.component-mib"), "{limit}"),
        other => panic!("{other:?}"),
    }
}

/// A function with this many locals, and nested loops that each change one of them.
fn loops(locals: u32, depth: u32, nests: u32) -> Vec<u8> {
    let local = |turn: u32, operator: u8| [vec![operator], number(turn % locals)].concat();
    let mut body = [vec![1], number(locals), vec![0x7f]].concat();
    for nest in 0..nests {
        for turn in nest * depth..(nest + 1) * depth {
            body.extend([vec![0x03, 0x40], local(turn, 0x20), vec![0x41, 1, 0x6a], local(turn, 0x21)].concat());
        }
        for turn in nest * depth..(nest + 1) * depth {
            body.extend([local(turn, 0x20), vec![0x0d, 0, 0x0b]].concat());
        }
    }
    body.push(0x0b);
    [number(u32::try_from(body.len()).unwrap()), body].concat()
}

/// The hostile component with a module of `count` such functions, which is instantiated once.
fn with_functions(functions: &[Vec<u8>], signature: &[u8]) -> Vec<u8> {
    let count = number(u32::try_from(functions.len()).unwrap());
    let types = [&[1], signature].concat();
    let kinds = [count.clone(), vec![0; functions.len()]].concat();
    let code = [count, functions.concat()].concat();
    with_instances(&fs::read(hostile()).unwrap(), &[(1, &types), (3, &kinds), (10, &code)], 1).unwrap()
}

const NOTHING_TO_NOTHING: &[u8] = &[0x60, 0, 0];

#[test]
fn a_component_that_would_take_long_to_compile_is_refused_at_once() {
    let home = Home::signed_in(1).unwrap();
    let path = home.path().join("slow.wasm");
    let plain = |functions: &[Vec<u8>]| with_functions(functions, NOTHING_TO_NOTHING);
    let many_results = [vec![0x60, 0], number(1_000), vec![0x7f; 1_000]].concat();
    let twice = |component: Vec<u8>| {
        // Each of 40 components instantiates the last one twice.
        let mut nested = b"\0asm\x0d\0\x01\0".to_vec();
        for _ in 0..40 {
            let instances = [vec![5, 7, 2, 0, 0, 0, 0, 0, 0]].concat();
            let inner = [vec![4], number(u32::try_from(nested.len()).unwrap()), nested, instances].concat();
            nested = [b"\0asm\x0d\0\x01\0".to_vec(), inner].concat();
        }
        [component, vec![4], number(u32::try_from(nested.len()).unwrap()), nested].concat()
    };
    for (what, component) in [
        ("locals in every block", plain(&[loops(1_000, 100, 50)])),
        ("a deep nest", plain(&[loops(10, 1_000, 1)])),
        ("many locals", plain(&[loops(5_000, 1, 1)])),
        ("many functions that are just small enough", plain(&vec![loops(400, 100, 1); 100])),
        ("many functions", plain(&vec![vec![2, 0, 0x0b]; 10_000])),
        ("a large function", plain(&[loops(10, 10, 4_000)])),
        ("many results", with_functions(&[vec![2, 0, 0x0b]], &many_results)),
        ("2⁴⁰ instances", twice(fs::read(hostile()).unwrap())),
    ] {
        fs::write(&path, component).unwrap();
        let started = Instant::now();
        match home.builder().component(&path).build() {
            Err(Error::Limit(limit)) => assert!(limit.message.contains("could take too long"), "{what}: {limit}"),
            other => panic!("{what}: {other:?}"),
        }
        assert!(started.elapsed() < Duration::from_secs(2), "{what}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn the_slowest_components_that_are_not_refused_compile_in_time() {
    let home = Home::signed_in(1).unwrap();
    let path = home.path().join("slow.wasm");
    for (what, functions) in [
        ("nests", vec![loops(100, 100, 4); 8]),
        ("locals", vec![loops(1_000, 25, 3); 9]),
        ("small functions", vec![vec![2, 0, 0x0b]; 7_500]),
    ] {
        fs::write(&path, with_functions(&functions, NOTHING_TO_NOTHING)).unwrap();
        let started = Instant::now();
        // If the compiler exceeded its deadline, there would be no credential.
        let credential = home.builder().component(&path).build().unwrap_or_else(|error| panic!("{what}: {error}"));
        println!("{what}: {:?}", started.elapsed());
        assert_eq!(instruct(&credential, &["work"]).await.unwrap(), "worked", "{what}");
    }
}

#[tokio::test]
async fn concurrent_calls_are_limited_and_no_call_waits_forever() {
    let home = Home::signed_in(1).unwrap();
    for (instances, all_run) in [(1, false), (3, true)] {
        let policy = limited(|limits| (limits.instances, limits.call_time) = (instances, Duration::from_millis(200)));
        let credential = home.builder().component(hostile()).policy(policy).build().unwrap();
        // Each call for the accounts spins separately: these calls do not share a result.
        let (first, second, third) =
            tokio::join!(credential.accounts(false), credential.accounts(false), credential.accounts(false));
        let fields: Vec<_> = [first, second, third]
            .into_iter()
            .flatten()
            .map(|(_, listed)| match listed {
                Err(Error::Limit(limit)) => limit.field,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(fields.len(), 3);
        assert!(fields.contains(&Some("limits.call-seconds")), "{fields:?}");
        assert_eq!(!fields.contains(&Some("limits.instances")), all_run, "{fields:?}");
        assert_eq!(instruct(&credential, &["work"]).await.unwrap(), "worked");
    }
}

#[derive(Clone, Default)]
struct SetClock(Arc<AtomicU64>);

impl Clock for SetClock {
    fn now(&self) -> u64 {
        1_800_000_000 + self.0.load(Ordering::SeqCst)
    }
}

fn token(_: &Received) -> Reply {
    Reply::json(200, json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": "at-1" }))
}

fn rated(home: &Home, endpoint: &TokenEndpoint, most: u32) -> (Builder, SetClock) {
    let clock = SetClock::default();
    let policy = limited(|limits| limits.requests_per_minute = most);
    (home.credential(endpoint).unwrap().policy(policy).clock(clock.clone()), clock)
}

/// Requests a token; if the rate limit denies it, returns the number of seconds to wait.
async fn ask(credential: &SharedTokenCacheCredential, scope: &str) -> Result<(), u64> {
    match credential.get_token(&[scope]).await {
        Ok(_) => Ok(()),
        Err(Error::Limit(limit)) => {
            assert_eq!(limit.field, Some("limits.requests-per-minute"));
            let wait = limit.retry_after.unwrap().as_secs();
            assert!(limit.message.contains(&format!("in {wait} s")), "{limit}");
            Err(wait)
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn requests_per_minute_are_limited_and_cached_tokens_do_not_count() {
    let home = Home::signed_in(1).unwrap();
    let endpoint = TokenEndpoint::start(token).await.unwrap();
    let (builder, clock) = rated(&home, &endpoint, 2);
    let credential = builder.build().unwrap();
    for (time, scope, expected, requests) in [
        (0, "a", Ok(()), 1),
        (20, "b", Ok(()), 2),
        (20, "a", Ok(()), 2),
        (20, "c", Err(40), 2),
        (20, "b", Ok(()), 2),
        (59, "c", Err(1), 2),
        (60, "c", Ok(()), 3),
        (60, "d", Err(20), 3),
        (80, "d", Ok(()), 4),
    ] {
        clock.0.store(time, Ordering::SeqCst);
        assert_eq!(ask(&credential, scope).await, expected, "{scope} at {time}");
        assert_eq!(endpoint.requests().len(), requests, "{scope} at {time}");
    }
}

#[tokio::test]
async fn retries_count_as_requests() {
    let home = Home::signed_in(1).unwrap();
    let endpoint = TokenEndpoint::start(|_| Reply::json(503, json!({}))).await.unwrap();
    let (builder, _) = rated(&home, &endpoint, 2);
    assert_eq!(ask(&builder.build().unwrap(), "a").await, Err(60));
    assert_eq!(endpoint.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_instances_of_a_credential_share_its_rate_limit_and_another_credential_has_its_own() {
    let home = Home::signed_in(1).unwrap();
    let slow = |request: &Received| token(request).after(Duration::from_millis(100));
    let endpoint = TokenEndpoint::start(slow).await.unwrap();
    let (builder, _) = rated(&home, &endpoint, 3);
    let credential = builder.build().unwrap();
    let tasks: Vec<_> = (0..6)
        .map(|number| {
            let credential = credential.clone();
            tokio::spawn(async move { ask(&credential, &format!("scope-{number}")).await })
        })
        .collect();
    let mut served = 0;
    for task in tasks {
        served += usize::from(task.await.unwrap().is_ok());
    }
    assert_eq!((served, endpoint.requests().len()), (3, 3));
    let (builder, _) = rated(&home, &endpoint, 1);
    assert_eq!(ask(&builder.build().unwrap(), "scope-7").await, Ok(()));
}

#[tokio::test]
async fn a_token_that_could_be_renewed_serves_while_no_request_is_left() {
    let home = Home::signed_in(1).unwrap();
    let renewable = |_: &Received| {
        let body = json!({ "token_type": "Bearer", "expires_in": 7200, "refresh_in": 10, "access_token": "at-1" });
        Reply::json(200, body)
    };
    let endpoint = TokenEndpoint::start(renewable).await.unwrap();
    let (builder, clock) = rated(&home, &endpoint, 1);
    let credential = builder.build().unwrap();
    assert_eq!(ask(&credential, "a").await, Ok(()));
    clock.0.store(30, Ordering::SeqCst);
    assert_eq!(ask(&credential, "a").await, Ok(()));
    assert_eq!(endpoint.requests().len(), 1);
}
