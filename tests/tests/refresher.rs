//! The token refresher with real files, a real TLS endpoint, and a clock that the tests set.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use shared_token_cache::policy::{Access, Profile, Source};
use shared_token_cache::{Clock, SharedTokenCacheCredential, TokenRefresher, TokenState};
use shared_token_cache_tests::home::{self, Home};
use token_endpoint::{Received, Reply, TokenEndpoint};

const VAULT: &str = "https://vault.azure.net/.default";
const START: u64 = 1_763_899_200;
const SOON: Duration = Duration::from_secs(10);

/// Long enough for several polls of the clock and the cache.
const A_WHILE: Duration = Duration::from_millis(900);

/// The value at which the clock panics.
const BROKEN: u64 = u64::MAX;

#[derive(Clone)]
struct Hands(Arc<AtomicU64>);

impl Clock for Hands {
    fn now(&self) -> u64 {
        let now = self.0.load(Ordering::SeqCst);
        assert!(now != BROKEN, "on purpose");
        now
    }
}

impl Hands {
    /// Sets the clock to this many seconds after the start.
    fn at(&self, seconds: u64) {
        self.0.store(START + seconds, Ordering::SeqCst);
    }
}

/// The authority's response, which a test may replace.
type Answer = Arc<Mutex<Box<dyn FnMut() -> Reply + Send>>>;

struct World {
    home: Home,
    clock: Hands,
    endpoint: TokenEndpoint,
    answer: Answer,
}

impl World {
    /// A world in which user 0 is signed in, and the authority issues tokens with these further
    /// fields.
    async fn new(fields: Value) -> Self {
        let home = Home::signed_in(1).unwrap();
        let answer: Answer = Arc::new(Mutex::new(Box::new(issuing(fields))));
        let endpoint = {
            let answer = Arc::clone(&answer);
            TokenEndpoint::start(move |_: &Received| (answer.lock().unwrap())()).await.unwrap()
        };
        Self { home, clock: Hands(Arc::new(AtomicU64::new(START))), endpoint, answer }
    }

    fn answers(&self, answer: impl FnMut() -> Reply + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    fn start(&self) -> TokenRefresher {
        self.start_with(&vault())
    }

    fn start_with(&self, profile: &Profile) -> TokenRefresher {
        TokenRefresher::start(self.credential(profile), profile)
    }

    fn credential(&self, profile: &Profile) -> SharedTokenCacheCredential {
        let policy = home::policy(Access::ReadWrite);
        SharedTokenCacheCredential::builder_for(&policy, profile)
            .places(shared_token_cache::Places::below(self.home.path()))
            .transport(self.home.transport(&self.endpoint).unwrap())
            .clock(self.clock.clone())
            .build()
            .unwrap()
    }

    fn requests(&self) -> usize {
        self.endpoint.requests().len()
    }
}

fn vault() -> Profile {
    Profile::new("vault".parse().unwrap(), Source::Shared, &[VAULT]).unwrap()
}

/// An endless series of tokens: `at-1`, `at-2` and so on.
fn issuing(fields: Value) -> impl FnMut() -> Reply + Send + 'static {
    let mut issued = 0;
    move || {
        issued += 1;
        let mut body = json!({
            "token_type": "Bearer", "expires_in": 3600, "access_token": format!("at-{issued}"),
            "refresh_token": format!("rt-new-{issued}"), "foci": "1",
        });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Reply::json(200, body)
    }
}

fn refused() -> Reply {
    Reply::json(400, json!({ "error": "invalid_grant", "error_description": "AADSTS70043: sign in again." }))
}

fn token(state: &TokenState) -> Option<&str> {
    match state {
        TokenState::Valid(token) => Some(token.token.expose()),
        TokenState::Pending | TokenState::Withdrawn(_) => None,
    }
}

async fn until(refresher: &TokenRefresher, what: &str, holds: impl Fn(&TokenState) -> bool) -> TokenState {
    let mut state = refresher.subscribe();
    let seen = tokio::time::timeout(SOON, state.wait_for(|state| holds(state))).await;
    match seen {
        Ok(state) => state.unwrap().clone(),
        Err(_) => panic!("{what} was waited for, and there is {:?}", refresher.state()),
    }
}

async fn until_token(refresher: &TokenRefresher, text: &str) {
    until(refresher, text, |state| token(state) == Some(text)).await;
}

/// The reason of the withdrawal.
async fn until_withdrawn(refresher: &TokenRefresher) -> String {
    let state = until(refresher, "a withdrawal", |state| matches!(state, TokenState::Withdrawn(_))).await;
    match state {
        TokenState::Withdrawn(error) => error.to_string(),
        state => panic!("{state:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_replaced_five_minutes_before_it_expires() {
    let world = World::new(json!({})).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    world.clock.at(3299);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!((token(&refresher.state()), world.requests()), (Some("at-1"), 1));
    world.clock.at(3300);
    until_token(&refresher, "at-2").await;
    assert_eq!(refresher.refresh_counts().counts()["refreshed"], 2);
    refresher.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_replaced_when_the_authority_wants_it() {
    let world = World::new(json!({ "expires_in": 7200, "refresh_in": 1000 })).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    world.clock.at(1000);
    until_token(&refresher, "at-2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_short_lived_from_the_start_is_replaced_at_half_its_life() {
    let world = World::new(json!({ "expires_in": 40 })).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    // The cache does not serve it, so each call that comes too early would redeem the refresh token
    // again.
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(world.requests(), 1, "what the refresher itself wrote is no news to it");
    world.clock.at(20);
    until_token(&refresher, "at-2").await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(world.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_outlives_an_outage_until_it_expires_and_comes_back_after_it() {
    let world = World::new(json!({})).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    world.answers(Reply::hang_up);
    for seconds in [3300, 3500, 3598] {
        world.clock.at(seconds);
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(token(&refresher.state()), Some("at-1"), "{seconds}");
    }
    assert!(refresher.refresh_counts().counts()["unreachable"] >= 3);
    world.clock.at(3599);
    let why = until_withdrawn(&refresher).await;
    assert!(why.contains("login.microsoftonline.com"), "the reason is the outage: {why}");
    world.answers(issuing(json!({ "access_token": "at-after" })));
    world.clock.at(3650);
    until_token(&refresher, "at-after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_expires_even_while_the_authority_does_not_answer() {
    let world = World::new(json!({})).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    world.answers(|| refused().after(Duration::from_secs(20)));
    world.clock.at(3300);
    while world.requests() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.clock.at(3600);
    let why = until_withdrawn(&refresher).await;
    assert_eq!(why, "the token expired before it was renewed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_withdraws_the_token_at_once() {
    let world = World::new(json!({})).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    world.answers(refused);
    world.clock.at(3300);
    let why = until_withdrawn(&refresher).await;
    assert!(why.contains("AADSTS70043"), "{why}");
    let requests = world.requests();
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(world.requests(), requests, "a refusal is not argued with");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_withdraws_the_token_within_a_second_and_a_sign_in_brings_one() {
    let world = World::new(json!({})).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    let signed_in = world.home.read().unwrap();
    world.home.write("{}").unwrap();
    let withdrawn = tokio::time::timeout(Duration::from_secs(1), until_withdrawn(&refresher)).await.unwrap();
    assert!(withdrawn.contains("no account"), "{withdrawn}");
    world.home.write(&signed_in.to_string()).unwrap();
    until_token(&refresher, "at-1").await;
    assert_eq!(world.requests(), 1);
    std::fs::remove_file(world.home.cache()).unwrap();
    until_withdrawn(&refresher).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_withdraws_the_token_though_another_call_has_seen_it_first() {
    let world = World::new(json!({})).await;
    let credential = world.credential(&vault());
    let refresher = TokenRefresher::start(credential.clone(), &vault());
    until_token(&refresher, "at-1").await;
    world.home.write("{}").unwrap();
    // The polls are 250 ms apart.
    for _ in 0..20 {
        assert!(credential.get_token(&[VAULT]).await.is_err());
    }
    until_withdrawn(&refresher).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_another_program_got_is_taken_over() {
    let world = World::new(json!({})).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    let mut document = world.home.read().unwrap();
    let entry = document["AccessToken"].as_object_mut().unwrap().values_mut().next().unwrap();
    entry["secret"] = json!("at-of-another");
    world.home.write(&document.to_string()).unwrap();
    until_token(&refresher, "at-of-another").await;
    assert_eq!(world.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_is_briefly_unreadable_does_not_withdraw_the_token() {
    let world = World::new(json!({})).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    world.home.write("{ this is").unwrap();
    // The file may be in the middle of a write, so it is read several times before an error is
    // reported.
    let said = async {
        while !refresher.refresh_counts().counts().contains_key("credential-unavailable") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, said).await.unwrap();
    assert_eq!(token(&refresher.state()), Some("at-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_served_by_its_account_and_tenant_and_by_no_other() {
    let world = World::new(json!({})).await;
    world.home.write(&home::document(3).to_string()).unwrap();
    let ambiguous = world.start();
    assert!(until_withdrawn(&ambiguous).await.contains("accounts"));
    let profile = vault().with_account("user1@contoso.com").unwrap().with_tenant("fabrikam.com").unwrap();
    let refresher = world.start_with(&profile);
    until_token(&refresher, "at-1").await;
    let requests = world.endpoint.requests();
    assert_eq!((requests.len(), requests[0].path.as_str()), (1, "/fabrikam.com/oauth2/v2.0/token"));
    assert_eq!(requests[0].field("refresh_token"), Some("rt-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_of_a_profile_has_no_token_for_anything_else() {
    let world = World::new(json!({})).await;
    let credential = world.credential(&vault());
    credential.get_token(&[VAULT]).await.unwrap();
    let error = credential.get_token(&["https://graph.microsoft.com/.default"]).await.unwrap_err();
    assert_eq!(error.kind(), "denied");
    assert_eq!(world.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_waits_for_the_answer_that_is_on_its_way() {
    let world = World::new(json!({})).await;
    let mut issue = issuing(json!({}));
    world.answers(move || issue().after(Duration::from_millis(500)));
    let refresher = world.start();
    while world.requests() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    refresher.stop().await;
    let document = world.home.read().unwrap().to_string();
    assert!(document.contains("rt-new-1"), "the old refresh token is dead, so the new one has to be kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_withdraws_the_token_and_restarts_the_refresher() {
    let world = World::new(json!({})).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    world.clock.0.store(BROKEN, Ordering::SeqCst);
    let withdrawn = tokio::time::timeout(Duration::from_secs(1), until_withdrawn(&refresher)).await.unwrap();
    assert!(withdrawn.contains("panicked"), "{withdrawn}");
    world.clock.at(1);
    until_token(&refresher, "at-1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresher_that_is_dropped_or_stopped_withdraws_its_token_at_once() {
    let world = World::new(json!({})).await;
    let (dropped, stopped) = (world.start(), world.start());
    let states = [dropped.subscribe(), stopped.subscribe()];
    for refresher in [&dropped, &stopped] {
        until(refresher, "a token", |state| token(state).is_some()).await;
    }
    drop(dropped);
    assert!(matches!(&*states[0].borrow(), TokenState::Withdrawn(why) if why.to_string().contains("has ended")));
    stopped.stop().await;
    assert!(matches!(&*states[1].borrow(), TokenState::Withdrawn(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_withdrawn_when_the_runtime_of_its_refresher_shuts_down() {
    let world = World::new(json!({})).await;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let credential = world.credential(&vault());
    let refresher = runtime.spawn(async move { TokenRefresher::start(credential, &vault()) }).await.unwrap();
    until_token(&refresher, "at-1").await;
    runtime.shutdown_background();
    until_withdrawn(&refresher).await;
    assert!(token(&refresher.state()).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_none_before_the_refresher_has_noticed() {
    let world = World::new(json!({})).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    world.clock.at(3599);
    assert!(matches!(refresher.state(), TokenState::Withdrawn(_)), "{:?}", refresher.state());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_is_unreadable_for_some_seconds_withdraws_the_token() {
    let world = World::new(json!({})).await;
    let refresher = world.start();
    until_token(&refresher, "at-1").await;
    // A folder replaces the file.
    let (cache, away) = (world.home.cache(), world.home.path().join("away"));
    std::fs::rename(&cache, &away).unwrap();
    std::fs::create_dir(&cache).unwrap();
    let start = std::time::Instant::now();
    until_withdrawn(&refresher).await;
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    std::fs::remove_dir(&cache).unwrap();
    std::fs::rename(&away, &cache).unwrap();
    until_token(&refresher, "at-1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_of_one_account_costs_the_profile_of_another_one_no_call() {
    let world = World::new(json!({})).await;
    world.home.write(&home::document(2).to_string()).unwrap();
    let profile = |name: &str, account: &str| {
        let profile = Profile::new(name.parse().unwrap(), Source::Shared, &[VAULT]).unwrap();
        profile.with_account(account).unwrap()
    };
    let other = world.start_with(&profile("other", "user1@contoso.com"));
    until_token(&other, "at-1").await;
    let renewed = world.start_with(&profile("renewed", "user0@contoso.com"));
    until_token(&renewed, "at-2").await;
    tokio::time::sleep(A_WHILE).await;
    let calls = |refresher: &TokenRefresher| refresher.refresh_counts().counts().values().sum::<u64>();
    assert_eq!((calls(&other), calls(&renewed)), (1, 1));
    assert_eq!(token(&other.state()), Some("at-1"));

    // After a write of another program each refresher calls again, whichever account it changed.
    let document = world.home.read().unwrap();
    world.home.write(&document.to_string()).unwrap();
    tokio::time::sleep(A_WHILE).await;
    assert_eq!((calls(&other), calls(&renewed)), (2, 2));
    world.home.write(&home::document(1).to_string()).unwrap();
    until_withdrawn(&other).await;
}
