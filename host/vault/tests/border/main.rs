//! Whatever a component tries, each attempt has its refusal, and what it may do works.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "helpers of tests")]

mod cache;
mod documents;
mod forms;
mod replies;
mod results;
mod rules;

use cache::{Fixture, NAME, NOW};
use shared_token_cache_vault::Credential;

#[test]
fn nothing_prints_a_secret() {
    let fixture = Fixture::new(Credential::default());
    let open = fixture.open_form("r0").unwrap();
    let document = fixture.session.open_document(NAME, "1", fixture.text.as_bytes()).unwrap();
    let sealed = fixture.session.vault().seal_document(NAME, "1", fixture.plain.clone().into_bytes()).unwrap();
    let token = fixture.session.open_result(&fixture.handle("a0"), NOW).unwrap();
    let said =
        format!("{open:?} {document:?} {sealed:?} {token:?} {:?} {:?}", fixture.session, fixture.session.vault());
    for secret in ["at-0".to_owned(), "rt-0".to_owned(), "uid-0".to_owned(), fixture.handle("r0")] {
        assert!(!said.contains(&secret), "{said}");
    }
}
