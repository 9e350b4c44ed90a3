//! Whatever a component makes of a document with handles, a secret stands in a secret's place afterwards, or nowhere.
//!
//! The input is what the component writes; in it `@0`, `@1` and so on stand for the handles that it was given.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared_token_cache_fuzz::{NAME, session};

const DOCUMENT: &str = r#"{"AccessToken":{"a":{"secret":"hunter2-0","home_account_id":"u.t","environment":"e","target":"s","expires_on":"9"}},
"RefreshToken":{"r":{"home_account_id":"u.t","environment":"e","client_id":"c","secret":"hunter2-1"},
"q":{"home_account_id":"v.t","environment":"e","client_id":"c","secret":"hunter2\u002d2"}},
"IdToken":{"i":{"secret":"hunter2-3","home_account_id":"u.t","environment":"e"}},
"Other":{"o":{"secret":"hunter2-4","deep":[{"secret":{"x":"hunter2-5"}}]}},"secret":"hunter2-6\ud800"}"#;

fuzz_target!(|text: &str| {
    // The component does not know what is in the secrets, so neither may the input.
    if text.contains("hunter2") {
        return;
    }
    let mut session = session();
    let vault = session.vault().clone();
    let sealed = session.hold(vault.seal_document(NAME, "1", DOCUMENT.as_bytes().to_vec()).unwrap());
    let sealed = String::from_utf8(sealed).unwrap();
    let handles = sealed.match_indices("sealed-").filter_map(|(at, _)| sealed.get(at..at + 31));
    let text =
        handles.enumerate().fold(text.to_owned(), |text, (number, handle)| text.replace(&format!("@{number}"), handle));
    let Ok(open) = session.open_document(NAME, "1", text.as_bytes()) else { return };
    let content = open.content().to_vec();
    assert!(content.len() <= text.len() + DOCUMENT.len(), "no secret stands there more often than before");
    let again = vault.seal_document(NAME, "2", content).unwrap();
    let again = String::from_utf8(again.text).unwrap();
    assert!(!again.contains("hunter2"), "{again}");
    assert_eq!(again, text, "what the component wrote is what it reads");
});
