//! The encoding of a document in a keyring item: plain, or base64 as .NET writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The document in an item, and whether it was in base64. Content that is neither JSON nor base64
/// of JSON is returned unchanged, so that the reader can report it.
pub(crate) fn decode(content: impl Into<Zeroizing<Vec<u8>>>) -> (Zeroizing<Vec<u8>>, bool) {
    let content = content.into();
    if begins_an_object(&content) {
        return (content, false);
    }
    match STANDARD.decode(content.trim_ascii()).map(Zeroizing::new) {
        Ok(document) if begins_an_object(&document) => (document, true),
        Ok(_) | Err(_) => (content, false),
    }
}

/// The content of an item for this document.
pub(crate) fn encode(document: &[u8], base64: bool) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(if base64 { STANDARD.encode(document).into_bytes() } else { document.to_vec() })
}

/// The alphabet of base64 has no brace.
fn begins_an_object(content: &[u8]) -> bool {
    content.trim_ascii_start().starts_with(b"{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_found_in_either_form_and_keeps_it() {
        for (content, document, base64) in [
            ("{}", "{}", false),
            ("\n {\"Account\": {}}", "\n {\"Account\": {}}", false),
            ("e30=", "{}", true),
            ("e30=\r\n", "{}", true),
            ("eyJBY2NvdW50Ijoge319", "{\"Account\": {}}", true),
            ("ewogICAgIkFjY291bnQiOiB7fQp9", "{\n    \"Account\": {}\n}", true),
        ] {
            let expected = (Zeroizing::new(document.as_bytes().to_vec()), base64);
            assert_eq!(decode(content.as_bytes().to_vec()), expected, "{content}");
            assert_eq!(decode(encode(document.as_bytes(), base64)), expected, "{content}");
        }
    }

    #[test]
    fn content_that_is_not_a_document_is_returned_unchanged() {
        // "null" is four letters of base64, and "MSALCache" nine; the others are a damaged item and
        // an empty one.
        for content in ["null", "MSALCache", "eyJBY2NvdW50Ijoge31", "{\"Account\":", "", "\u{feff}{}"] {
            let bytes = content.as_bytes().to_vec();
            assert_eq!(decode(bytes.clone()), (Zeroizing::new(bytes), false), "{content}");
        }
    }
}
