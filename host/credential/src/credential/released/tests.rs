use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use shared_token_cache_storage::{Examination, Read, ReadError, WriteError};

use super::*;
use crate::access_token::AccessToken;

const NOW: u64 = 1_763_899_200;

#[derive(Debug, Default)]
struct Fake(AtomicBool);

impl Store for Fake {
    fn guarded(&self) -> &Path {
        Path::new("/made-up")
    }

    fn is_at(&self, known: &str) -> bool {
        known == "1" && !self.0.load(Ordering::SeqCst)
    }

    fn read(&self, _: Option<&str>) -> Result<Read, ReadError> {
        Ok(Read::Unchanged)
    }

    fn replace(&self, _: &str, _: &[u8]) -> Result<String, WriteError> {
        Err(WriteError::Conflict)
    }

    fn examine(&self) -> Examination {
        unreachable!("nothing is examined")
    }
}

fn call(scope: &str) -> Call {
    Call { scopes: vec![scope.to_owned()], request: TokenRequestOptions::default() }
}

fn issued(origin: Origin, version: &str, lives: u64, refresh_in: Option<u64>) -> Arc<Issued> {
    let token = AccessToken {
        token: "hunter2".to_owned().into(),
        expires_on: NOW + lives,
        refresh_on: refresh_in.map(|seconds| NOW + seconds),
        token_type: "Bearer".into(),
    };
    let (account, tenant) = ("0".repeat(16), "utid".to_owned());
    Arc::new(Issued { token, account, tenant, origin, version: Some(version.into()) })
}

/// Whether the token of a call at [`NOW`] is reused at another time.
fn kept(issued: &Arc<Issued>, now: u64) -> bool {
    let (released, store) = (Released::default(), Arc::new(Fake::default()));
    released.put(&call("a"), issued, (NOW, 0), || Some(store));
    released.get(&call("a"), now, || None).is_some()
}

#[test]
fn a_cached_token_is_kept_and_a_refreshed_one_is_not() {
    assert!(kept(&issued(Origin::Cached, "1", 3600, None), NOW));
    assert!(!kept(&issued(Origin::Refreshed, "1", 3600, None), NOW));
    assert!(!kept(&issued(Origin::Cached, "2", 3600, None), NOW), "the file is at another version");
}

#[test]
fn a_kept_token_ends_with_time() {
    for (lives, refresh_in, now, serves) in [
        (3600, None, 59, true),
        (3600, None, 60, false),
        (3600, Some(30), 29, true),
        (3600, Some(30), 30, false),
        (330, None, 29, true),
        (330, None, 30, false),
        (300, None, 0, false),
    ] {
        let issued = issued(Origin::Cached, "1", lives, refresh_in);
        assert_eq!(kept(&issued, NOW + now), serves, "{lives} {refresh_in:?} {now}");
    }
    assert!(!kept(&issued(Origin::Cached, "1", 3600, None), NOW - 1), "a clock that was set back");
}

#[test]
fn a_new_version_or_a_closed_credential_drops_all_tokens() {
    let (released, store) = (Released::default(), Arc::new(Fake::default()));
    let token = issued(Origin::Cached, "1", 3600, None);
    let put = |scope, closed| released.put(&call(scope), &token, (NOW, closed), || Some(Arc::clone(&store) as Arc<_>));
    let get = |scope| released.get(&call(scope), NOW, || None).is_some();
    put("a", 0);
    put("b", 0);
    assert!(get("a") && get("b") && !get("c"));
    store.0.store(true, Ordering::SeqCst);
    assert!(!get("a"));
    store.0.store(false, Ordering::SeqCst);
    assert!(!get("b"), "they are wiped as soon as the change is seen");
    put("a", 0);
    released.close();
    assert!(!get("a"));
    put("a", 0);
    assert!(!get("a"), "the call began before");
    put("a", released.closed());
    assert!(get("a"));
    assert_eq!(Arc::strong_count(&token), 2, "nothing else is held");
}

#[test]
fn the_number_of_kept_tokens_is_limited() {
    let (released, store) = (Released::default(), Arc::new(Fake::default()));
    let token = issued(Origin::Cached, "1", 3600, None);
    let put = |scope: usize, now| {
        released.put(&call(&scope.to_string()), &token, (now, 0), || Some(Arc::clone(&store) as Arc<_>));
    };
    (0..2 * MOST).for_each(|scope| put(scope, NOW));
    assert_eq!(Arc::strong_count(&token), 1 + MOST);
    put(0, NOW + 60);
    put(2 * MOST, NOW + 60);
    assert_eq!(Arc::strong_count(&token), 3, "those whose time is over make room");
}

#[test]
fn a_token_is_reused_only_while_it_has_the_validity_that_the_call_requires() {
    let request = TokenRequestOptions { min_validity: Some(Duration::from_secs(3590)), ..Default::default() };
    let call = Call { request, ..call("a") };
    for (now, serves) in [(NOW, true), (NOW + 10, true), (NOW + 11, false)] {
        let (released, store) = (Released::default(), Arc::new(Fake::default()));
        released.put(&call, &issued(Origin::Cached, "1", 3600, None), (NOW, 0), || Some(store));
        assert_eq!(released.get(&call, now, || None).is_some(), serves, "{now}");
    }
}

#[test]
fn an_answer_from_another_version_and_a_call_without_a_token_drop_the_tokens() {
    for (version, kept) in [(Some("1"), true), (Some("2"), false), (None, false)] {
        let (released, store) = (Released::default(), Arc::new(Fake::default()));
        released.put(&call("a"), &issued(Origin::Cached, "1", 3600, None), (NOW, 0), || Some(store));
        released.keep_only(version);
        assert_eq!(released.read().at.is_some(), kept, "{version:?}");
    }
}
