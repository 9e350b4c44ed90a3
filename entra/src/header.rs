//! Header fields of a token request.

/// The header fields that a component may set.
pub const ALLOWED: &[&str] = &["x-anchormailbox", "x-client-sku", "x-client-ver"];

/// The longest value of such a field, in bytes.
pub const LONGEST_VALUE: usize = 512;

/// Whether a component may set this header field to this value.
#[must_use]
pub fn may_set(name: &str, value: &str) -> bool {
    ALLOWED.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
        && value.len() <= LONGEST_VALUE
        && value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_header_fields_may_be_set() {
        assert!(may_set("X-AnchorMailbox", "Oid:1@2") && may_set("x-client-ver", &"1".repeat(LONGEST_VALUE)));
        for (name, value) in [
            ("authorization", "x"),
            ("host", "x"),
            ("x-client-sku", "a\nb"),
            ("x-client-sku", "ü"),
            ("x-client-ver", &"1".repeat(LONGEST_VALUE + 1)),
        ] {
            assert!(!may_set(name, value), "{name}");
        }
    }
}
