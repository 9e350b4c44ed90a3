//! A sealed document contains no secret, opens to the original, and is damaged like the original.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared_token_cache_core::Document;
use shared_token_cache_fuzz::{NAME, answered, is_sealed};

fuzz_target!(|document: &[u8]| {
    let mut session = answered();
    let sealed = session.vault().clone().seal_document(NAME, "1", document.to_vec()).unwrap();
    let text = session.hold(sealed);

    let (before, after) = (Document::parse(document.to_vec()), Document::parse(text.clone()));
    assert_eq!(before.as_ref().err(), after.as_ref().err());
    if before.is_err() {
        assert!(text.trim_ascii().len() <= 1, "a damaged document has no content");
        return;
    }
    let sealed = std::str::from_utf8(&text).unwrap();
    assert_ne!(is_sealed(sealed), Some(false), "{sealed}");
    let open = session.open_document(NAME, "1", &text).unwrap();
    assert_eq!(open.content(), document);
});
