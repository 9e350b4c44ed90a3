//! Attempts of a component: each forbidden one has its refusal, and the allowed ones succeed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "helpers of tests")]

mod brokers;
mod cache;
mod documents;
mod forms;
mod homes;
mod metadata;
mod replies;
mod results;
mod rules;
mod sessions;
mod stored_replies;

use std::fmt::Debug;

use cache::{Fixture, NAME, NOW};
use shared_token_cache_vault::Credential;

#[test]
fn nothing_prints_a_secret() {
    let fixture = Fixture::new(Credential::default()).refused();
    let open = fixture.open_form("r0").unwrap();
    let document = fixture.session.open_document(NAME, "1", &fixture.text).unwrap();
    let sealed = fixture.session.vault().seal_document(NAME, "1", fixture.plain.clone().into_bytes()).unwrap();
    let token = fixture.session.open_result(&fixture.handle("a0"), NOW).unwrap();
    let values: [(&str, &dyn Debug); 9] = [
        ("OpenForm", &open),
        ("Redemption", &open.redemption),
        ("OpenDocument", &document),
        ("Sealed", &sealed),
        ("AccessToken", &token),
        ("Secret", &token.token),
        ("Session", &fixture.session),
        ("Vault", fixture.session.vault()),
        ("Refused", &fixture.open_form("rt-0").unwrap_err()),
    ];
    for (what, value) in values {
        let said = format!("{value:?} {value:#?}");
        assert!(!said.trim().is_empty(), "{what} prints nothing");
        for secret in ["at-0", "rt-0", "uid-0", &fixture.handle("r0")] {
            // `Debug` prints bytes as numbers.
            let bytes = format!("{:?}", secret.as_bytes());
            assert!(!said.contains(secret) && !said.contains(bytes.trim_matches(['[', ']'])), "{what}: {said}");
        }
    }
}
