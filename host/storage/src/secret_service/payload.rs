//! What an item holds: the document as it is, or, if .NET wrote it, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The document in an item, and whether it lay there in base64. What is neither is given as it is, so that the reader of the document
/// tells what is wrong with it.
pub(super) fn open(secret: Vec<u8>) -> (Vec<u8>, bool) {
    if is_object(&secret) {
        return (secret, false);
    }
    let secret = Zeroizing::new(secret);
    match STANDARD.decode(secret.trim_ascii()) {
        Ok(document) if is_object(&document) => (document, true),
        _ => (secret.to_vec(), false),
    }
}

/// What an item is to hold.
pub(super) fn close(document: &[u8], base64: bool) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(if base64 { STANDARD.encode(document).into_bytes() } else { document.to_owned() })
}

/// Its first character tells an object from base64, which has no braces.
fn is_object(content: &[u8]) -> bool {
    content.trim_ascii_start().first() == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_opened_and_closed_in_its_own_encoding() {
        for (secret, document, base64) in [
            (&b"{\"a\":1}"[..], &b"{\"a\":1}"[..], false),
            (b"\n {}", b"\n {}", false),
            (b"eyJhIjoxfQ==", b"{\"a\":1}", true),
            (b" eyJhIjoxfQ==\n", b"{\"a\":1}", true),
            (b"", b"", false),
            (b"not a document", b"not a document", false),
            // Base64 of something else.
            (b"bm9uZQ==", b"bm9uZQ==", false),
            (b"{\"half", b"{\"half", false),
        ] {
            let opened = open(secret.to_owned());
            assert_eq!(opened, (document.to_owned(), base64), "{}", String::from_utf8_lossy(secret));
            assert_eq!(open(close(b"{\"b\":2}", base64).to_vec()), (b"{\"b\":2}".to_vec(), base64));
        }
    }
}
