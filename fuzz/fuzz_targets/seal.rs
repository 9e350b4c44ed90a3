//! A sealed document contains no secret, opens to the original, and is damaged like the original.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared_token_cache_core::{CacheDocument, Document, ReadError};
use shared_token_cache_fuzz::{NAME, answered, is_sealed};
use shared_token_cache_vault::NotUtf8;

fuzz_target!(|document: &[u8]| {
    let mut session = answered();
    let sealed = session.vault().clone().seal_document(NAME, "1", document.to_vec()).unwrap();
    let (text, plain) = match (session.hold(sealed), CacheDocument::text(document.to_vec())) {
        (Ok(text), Ok(plain)) => (text, plain),
        (Err(NotUtf8 { line, column }), Err(plain)) => return assert_eq!(ReadError::NotUtf8 { line, column }, plain),
        (sealed, _) => panic!("the vault and the component disagree about UTF-8: {}", sealed.is_ok()),
    };

    let (before, after) = (Document::parse(plain), Document::parse(text.clone()));
    assert_eq!(before.as_ref().err(), after.as_ref().err());
    if before.is_err() {
        assert!(text.trim().len() <= 1, "a damaged document has no content");
        return;
    }
    assert_ne!(is_sealed(&text), Some(false), "{text}");
    let open = session.open_document(NAME, "1", &text).unwrap();
    assert_eq!(open.content(), document);
});
