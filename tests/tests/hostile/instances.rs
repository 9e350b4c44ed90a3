//! The instance of a component after its attempt, and other instances with the same home.

use std::fs::File;
use std::time::{Duration, Instant};

use shared_token_cache::policy::{Access, Limits};
use shared_token_cache::{Error, TokenRequestOptions};
use shared_token_cache_tests::home;
use shared_token_cache_tests::listen::Listener;

use crate::stage::{SCOPE, Stage};

/// The instances' numbers in two calls of one credential.
fn calls(attempt: &str) -> Vec<String> {
    let stage = Stage::new(attempt);
    let listener = Listener::default();
    listener.during(|| {
        let credential = stage.hostile().build().unwrap();
        for _ in 0..2 {
            assert!(stage.call(&credential, &[SCOPE], TokenRequestOptions::default()).is_err());
        }
    });
    let lines = listener.lines();
    let numbers = lines.iter().filter_map(|line| line.split_once("call ")?.1.split_once(" of this instance"));
    numbers.map(|(number, _)| number.to_owned()).collect()
}

#[test]
fn an_instance_that_returned_a_denied_token_is_not_used_again() {
    for attempt in ["return_a_refresh_token", "return_an_expired_access_token", "trap", "return_a_huge_text"] {
        assert_eq!(calls(attempt), ["1", "1"], "{attempt}");
    }
    // Nothing of this left the host, and a well-behaved component can be denied as well, so the
    // instance is kept.
    for attempt in ["redeem_in_another_tenant", "read_another_cache"] {
        assert_eq!(calls(attempt), ["1", "2"], "{attempt}");
    }
}

#[test]
fn a_component_that_holds_replace_does_not_keep_others_from_writing() {
    let stage = Stage::new("hold_replace");
    let mut limits = Limits::default();
    limits.call_time = Duration::from_secs(2);
    let hostile = stage.hostile().policy(home::policy(Access::ReadWrite).with_limits(limits)).build().unwrap();
    let good = stage.home.credential(&stage.endpoint).unwrap().username("user1@contoso.com").build().unwrap();
    let started = Instant::now();
    stage.runtime.block_on(async {
        let holding = hostile.get_token(&[SCOPE]);
        let writing = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            good.get_token(&["https://contoso.com/.default"]).await
        };
        let (held, written) = tokio::join!(holding, writing);
        assert!(matches!(held, Err(Error::Limit(_))), "{held:?}");
        assert!(written.is_ok(), "{written:?}");
    });
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let targets = stage.home.read().unwrap()["AccessToken"].to_string();
    assert!(targets.contains("https://contoso.com/.default"), "{targets}");
}

#[test]
fn a_file_that_is_no_component_is_said_to_be_none() {
    let stage = Stage::new("spin");
    let path = stage.home.path().join("component.wasm");
    let build = || stage.hostile().component(&path).build().map(drop).unwrap_err();
    for content in [&b"not a component"[..], b"", b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0\xff"] {
        std::fs::write(&path, content).unwrap();
        let error = build();
        assert!(
            matches!(&error, Error::InvalidArgument(why) if why.contains("component.wasm: ")
            || why.contains("not of the world")),
            "{error:?}"
        );
    }
    // Two gigabytes in a sparse file, which takes no room on the disk.
    File::create(&path).unwrap().set_len(2 << 30).unwrap();
    let error = build();
    assert!(matches!(&error, Error::Limit(_)) && error.to_string().contains("has more than"), "{error:?}");
}
