//! Warm calls: which ones the host answers with a token that the component released before, and what they cost.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use shared_token_cache::{Builder, Clock, Error, SharedTokenCacheCredential, TokenRequestOptions};
use shared_token_cache_tests::home::Home;
use shared_token_cache_tests::listen::Listener;
use token_endpoint::{Reply, TokenEndpoint};
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};

const VAULT: &str = "https://vault.azure.net/.default";
const START: u64 = 1_763_899_200;

/// With this variable a test of this program is the program that is traced.
const CALLS: &str = "WARM_CALLS";

#[derive(Clone)]
struct Hands(Arc<AtomicU64>);

impl Clock for Hands {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A credential that has just been answered with a cached token, a clock that the test sets, and all that is logged.
struct World {
    runtime: Runtime,
    home: Home,
    clock: Hands,
    endpoint: TokenEndpoint,
    credential: SharedTokenCacheCredential,
    listener: Listener,
}

impl World {
    /// The authority issues tokens with these further fields.
    fn new(fields: serde_json::Value, change: impl FnOnce(Builder) -> Builder) -> Self {
        let runtime = RuntimeBuilder::new_current_thread().enable_all().build().unwrap();
        let (home, clock) = (Home::signed_in(1).unwrap(), Hands(Arc::new(AtomicU64::new(START))));
        let mut issued = 0;
        let issue = move |_: &_| {
            issued += 1;
            let mut body = json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": format!("at-{issued}"), "foci": "1" });
            body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            Reply::json(200, body)
        };
        let endpoint = runtime.block_on(TokenEndpoint::start(issue)).unwrap();
        let builder = change(home.credential(&endpoint).unwrap().clock(clock.clone()));
        let credential = builder.build().unwrap();
        let world = Self { runtime, home, clock, endpoint, credential, listener: Listener::default() };
        // It is bought, and the next call finds it in the cache.
        assert_eq!((world.get().unwrap(), world.get().unwrap()), ("at-1".into(), "at-1".into()));
        world
    }

    fn plain() -> Self {
        Self::new(json!({}), |builder| builder)
    }

    fn ask(&self, scope: &str, request: TokenRequestOptions) -> Result<String, Error> {
        let call = || self.runtime.block_on(self.credential.get_token_with(&[scope], request));
        let served = self.listener.during(call)?;
        Ok(served.access_token.token.expose().to_owned())
    }

    fn get(&self) -> Result<String, Error> {
        self.ask(VAULT, TokenRequestOptions::default())
    }

    /// How often the component has looked at its document.
    fn looks(&self) -> usize {
        self.listener.lines().iter().filter(|line| line.contains("cache-file.read")).count()
    }

    /// How often the component looks at its document while this is done.
    fn looks_during<T>(&self, work: impl FnOnce() -> T) -> (usize, T) {
        let before = self.looks();
        let outcome = work();
        (self.looks() - before, outcome)
    }
}

#[test]
fn an_equal_call_is_answered_without_the_component_and_has_its_line_in_the_audit() {
    let world = World::plain();
    let lines = || world.listener.lines().iter().filter(|line| line.contains("outcome=\"cached\"")).count();
    let before = lines();
    let (looks, token) = world.looks_during(|| (0..10).map(|_| world.get().unwrap()).collect::<Vec<_>>());
    assert_eq!((looks, token), (0, vec!["at-1".to_owned(); 10]));
    assert_eq!(lines() - before, 10, "{:?}", world.listener.lines().last());
    assert_eq!(world.endpoint.requests().len(), 1);
}

#[test]
fn whatever_else_is_asked_the_component_answers() {
    let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;
    let options = |change: fn(&mut TokenRequestOptions)| {
        let mut options = TokenRequestOptions::default();
        change(&mut options);
        options
    };
    for (scope, request) in [
        ("https://graph.microsoft.com/.default", TokenRequestOptions::default()),
        (VAULT, TokenRequestOptions { claims: Some(challenge.into()), ..Default::default() }),
        (VAULT, options(|options| options.claims = Some(" ".into()))),
        (VAULT, options(|options| options.tenant_id = Some("utid-00000000".into()))),
        (VAULT, options(|options| options.enable_cae = true)),
    ] {
        let world = World::plain();
        let (looks, _) = world.looks_during(|| world.ask(scope, request.clone()));
        assert!(looks > 0, "{scope} {request:?}");
        if request.claims.is_some() || request.enable_cae {
            let (looks, _) =
                world.looks_during(|| (world.ask(scope, request.clone()), world.ask(scope, request.clone())));
            assert!(looks >= 2, "it is never kept: {scope} {request:?}");
        }
        assert_eq!(world.looks_during(|| world.get().unwrap()).1.len(), "at-1".len());
    }
}

#[test]
fn the_component_is_asked_again_when_something_changes() {
    type Change = fn(&World);
    let changes: [(&str, Change); 5] = [
        ("a minute is over", |world| world.clock.0.store(START + 160, Ordering::SeqCst)),
        ("the clock was set back", |world| world.clock.0.store(START + 99, Ordering::SeqCst)),
        ("the credential was closed", |world| world.runtime.block_on(world.credential.close()).unwrap()),
        ("the file was written with the same content", |world| {
            let text = world.home.read().unwrap().to_string();
            world.home.write(&text).unwrap();
        }),
        ("the file's time is another", |world| {
            let file = fs::File::options().write(true).open(world.home.cache()).unwrap();
            file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(100)).unwrap();
        }),
    ];
    for (what, change) in changes {
        let world = World::plain();
        world.clock.0.store(START + 100, Ordering::SeqCst);
        world.get().unwrap();
        assert_eq!(world.looks_during(|| world.get().unwrap()).0, 0, "before {what}");
        change(&world);
        assert!(world.looks_during(|| world.get()).0 > 0, "{what}");
        assert_eq!(world.looks_during(|| world.get().unwrap()).0, 0, "after {what} it is released again");
    }
}

#[test]
fn a_sign_out_ends_it_at_once() {
    let ends: [fn(&World); 2] =
        [|world| world.home.write("{}").unwrap(), |world| fs::remove_file(world.home.cache()).unwrap()];
    for end in ends {
        let world = World::plain();
        end(&world);
        assert!(matches!(world.get(), Err(Error::CredentialUnavailable(_))));
    }
}

#[test]
fn a_token_is_renewed_when_the_authority_wants_it_and_before_it_expires() {
    for (fields, renewed) in [(json!({ "refresh_in": 90 }), 90), (json!({ "expires_in": 390 }), 90)] {
        let world = World::new(fields, |builder| builder);
        let set = |seconds| world.clock.0.store(START + seconds, Ordering::SeqCst);
        set(59);
        assert_eq!(world.looks_during(|| world.get().unwrap()), (0, "at-1".to_owned()));
        // The component would report the same at 60 s, which would hold until 120 s.
        set(60);
        assert_eq!(world.get().unwrap(), "at-1");
        set(renewed - 1);
        assert_eq!(world.looks_during(|| world.get().unwrap()), (0, "at-1".to_owned()));
        set(renewed);
        assert_eq!(world.get().unwrap(), "at-2");
    }
}

#[test]
fn a_call_that_is_under_way_while_the_credential_is_closed_leaves_nothing() {
    let world = World::plain();
    let other = "https://graph.microsoft.com/.default";
    let request = TokenRequestOptions::default;
    world.ask(other, request()).unwrap();
    // The call has begun and waits for its document, as every call after a change does, when the credential is closed.
    world.home.write(&world.home.read().unwrap().to_string()).unwrap();
    let (credential, closing) = (world.credential.clone(), world.credential.clone());
    let both = async {
        let scopes = [other];
        tokio::join!(credential.get_token(&scopes), closing.close())
    };
    let (token, closed) = world.listener.during(|| world.runtime.block_on(both));
    assert!(token.is_ok() && closed.is_ok());
    assert!(world.looks_during(|| world.ask(other, request()).unwrap()).0 > 0);
}

/// Some crate of the build that asks for it would make every call of a component slower, and nothing else would tell.
#[test]
fn wasmtime_is_built_without_the_async_component_model() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--workspace", "--exclude", "shared-token-cache-guest"])
        .args(["--exclude", "shared-token-cache-hostile", "--edges", "features,normal", "--invert", "wasmtime"])
        .args(["--depth", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let features = String::from_utf8(tree.stdout).unwrap();
    assert!(features.contains("wasmtime feature \"component-model\""), "{features}{:?}", tree.stderr);
    assert!(!features.contains("component-model-async"), "{features}");
}

#[test]
fn a_warm_call_makes_one_system_call() {
    if Command::new("strace").arg("--version").output().is_err() {
        println!("skipped: there is no strace (Debian: apt-get install strace)");
        return;
    }
    let (few, many) = (traced(100), traced(1_100));
    for (name, count) in &many {
        let more = count - few.get(name).copied().unwrap_or_default().min(*count);
        match name.as_str() {
            "statx" => assert_eq!(more, 1_000),
            // The thread that ends components that compute for too long sleeps for a second after the last one has run.
            "clock_nanosleep" | "restart_syscall" => {}
            _ => assert!(more < 20, "{more} more calls of {name}: {many:?}"),
        }
    }
}

/// The system calls of a process with so many warm calls.
fn traced(calls: usize) -> BTreeMap<String, usize> {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&trace)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "the_program_that_is_traced"])
        .env(CALLS, calls.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(&trace).unwrap().lines() {
        let call = line.split_once(char::is_whitespace).map(|(_, call)| call.trim_start()).unwrap_or_default();
        if let Some((name, _)) = call.split_once('(') {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    counts
}

#[test]
fn the_program_that_is_traced() {
    let Some(calls) = std::env::var(CALLS).ok().and_then(|calls| calls.parse().ok()) else { return };
    let world = World::plain();
    world.runtime.block_on(async {
        for _ in 0..calls {
            world.credential.get_token(&[VAULT]).await.unwrap();
        }
    });
}
