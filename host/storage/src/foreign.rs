//! Content that is not a cache document, recognised by its first bytes, so that the error does not
//! advise to delete it.

/// The first bytes of a kind of content, and the kind in words that continue a sentence about the
/// place.
const KINDS: &[(&[u8], &str)] = &[
    (
        b"\x01\0\0\0\xd0\x8c\x9d\xdf\x01\x15\xd1\x11\x8c\x7a\0\xc0\x4f\xc2\x97\xeb",
        "is encrypted by Windows (DPAPI) for one of its users, who alone can use it, on that machine and with the source that it belongs \
         to: `shared` or `azure-cli`",
    ),
    (b"\xff\xfe\0\0", UTF_32),
    (b"\0\0\xfe\xff", UTF_32),
    (b"{\0\0\0", UTF_32),
    (b"\0\0\0{", UTF_32),
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
    (b"{\0", UTF_16),
    (b"\0{", UTF_16),
    (b"bplist00", "is a binary property list of macOS, not a token cache; check the path"),
    (b"SQLite format 3\0", "is a SQLite database, not a token cache; check the path"),
    (b"\x1f\x8b", "is compressed with gzip; decompress it, or check the path"),
    (b"\x28\xb5\x2f\xfd", "is compressed with Zstandard; decompress it, or check the path"),
    (b"\xfd7zXZ\0", "is compressed with xz; decompress it, or check the path"),
    (b"BZh", "is compressed with bzip2; decompress it, or check the path"),
    (b"PK\x03\x04", "is a ZIP archive; unpack it, or check the path"),
    (b"-----BEGIN PGP", ENCRYPTED),
    (b"-----BEGIN AGE", ENCRYPTED),
    (b"age-encryption.org/", ENCRYPTED),
    (b"Salted__", ENCRYPTED),
    (b"$ANSIBLE_VAULT;", ENCRYPTED),
    (b"-----BEGIN ", "is PEM, a certificate or a key, not a token cache; check the path"),
    (b"\x7fELF", "is a program, not a token cache; check the path"),
    (b"MZ", "is a program, not a token cache; check the path"),
    (b"<<<<<<<", CONFLICT),
    (b"=======", CONFLICT),
    (b">>>>>>>", CONFLICT),
    (b"<", "is HTML or XML, not a token cache; check the path, or get the file anew"),
    (b"version https://git-lfs", "is a pointer of Git LFS; fetch the file behind it"),
];

const CONFLICT: &str =
    "has the marks of a conflict of git, or of another tool that merges; restore one of its versions";
const UTF_16: &str = "is UTF-16 text, as `>` of Windows PowerShell writes it; write it again as UTF-8, with `Set-Content -Encoding utf8` say";
const UTF_32: &str = "is UTF-32 text; write it again as UTF-8";
const ENCRYPTED: &str = "is encrypted; decrypt it with the program that made it, or check the path";

/// The kind of the content, if it is known not to be a cache document, damaged or whole.
pub(crate) fn kind(content: &[u8]) -> Option<&'static str> {
    let known = KINDS.iter().find(|(mark, _)| content.starts_with(mark)).map(|(_, kind)| *kind);
    known.or_else(|| is_jwe(content).then_some(JWE))
}

const JWE: &str =
    "is encrypted by the Azure SDK for Go, which keeps the key for itself; sign in with another tool as well";

/// A JWE in compact form: five parts in the alphabet of base64url, the first of which begins as the
/// base64 of an object does (RFC 7516, section 7.1).
fn is_jwe(content: &[u8]) -> bool {
    let content = content.trim_ascii();
    content.starts_with(b"eyJ")
        && content.iter().filter(|byte| **byte == b'.').count() == 4
        && content.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_that_is_not_a_document_is_named() {
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let utf_16_be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        let dpapi = b"\x01\0\0\0\xd0\x8c\x9d\xdf\x01\x15\xd1\x11\x8c\x7a\0\xc0\x4f\xc2\x97\xeb\x01\0\0\0".to_vec();
        for (content, part) in [
            (dpapi, "Windows (DPAPI)"),
            (utf_16("{\"Account\": {}}"), "UTF-16"),
            (utf_16("\u{feff}{\"Account\": {}}"), "UTF-16"),
            (utf_16_be("{\"Account\": {}}"), "UTF-16"),
            (utf_16_be("\u{feff}{}"), "UTF-16"),
            (b"\xff\xfe\0\0{\0\0\0".to_vec(), "UTF-32"),
            (b"bplist00\xd1".to_vec(), "property list"),
            (b"SQLite format 3\0\x10".to_vec(), "SQLite"),
            (b"\x1f\x8b\x08".to_vec(), "gzip"),
            (b"-----BEGIN CERTIFICATE-----\n".to_vec(), "PEM"),
            (b"-----BEGIN PGP MESSAGE-----\n".to_vec(), "is encrypted"),
            (b"<!DOCTYPE html>".to_vec(), "HTML"),
            (b"<<<<<<< HEAD\n{\n=======\n".to_vec(), "conflict"),
            (b"eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn\n".to_vec(), "Azure SDK for Go"),
        ] {
            let shown = kind(&content).unwrap_or_default();
            assert!(shown.contains(part), "{content:?}: {shown}");
        }
    }

    #[test]
    fn a_whole_or_damaged_document_is_not_foreign() {
        for content in [
            "",
            "{}",
            "\u{feff}{}",
            "{\"Account\":",
            "[]",
            "null",
            "hunter2",
            " ",
            "eyJhIjoxfQ==",
            "\0\0\0\0",
            "eyJ.a.b",
        ] {
            assert_eq!(kind(content.as_bytes()), None, "{content}");
        }
    }
}
