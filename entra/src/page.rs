//! Detection of responses that do not come from the authority.

/// The message about such a response.
pub const PAGE: &str = "a proxy or portal seems to answer in place of the authority; sign in to the network in a web \
                        browser, or check HTTPS_PROXY and NO_PROXY";

/// Whether a response is a page for people, as proxies and captive portals (hotels, trains) send it
/// in place of the authority's response: a redirect, 511 (RFC 6585, section 6), or markup.
#[must_use]
pub fn is_a_page(status: u16, body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    matches!(status, 300..=399 | 511) || body.trim_ascii_start().starts_with(b"<")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_and_markup_are_pages() {
        for (status, body, expected) in [
            (302, "", true),
            (307, "{}", true),
            (511, "", true),
            (200, "<html>", true),
            (403, "\r\n <!DOCTYPE html>", true),
            (200, "\u{feff}<?xml version=\"1.0\"?>", true),
            (200, "", false),
            (200, "{\"error\":\"<\"}", false),
            (400, "null", false),
        ] {
            assert_eq!(is_a_page(status, body.as_bytes()), expected, "{status} {body}");
        }
    }
}
