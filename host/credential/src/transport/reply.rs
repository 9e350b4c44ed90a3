//! Classifies a reply, to decide on a retry.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use shared_token_cache_entra::{Class, Refusal, class_of};
use zeroize::Zeroizing;

/// The class of a reply's error. `None` for a reply without an error.
pub(super) fn class(status: u16, body: &[u8]) -> Option<Class> {
    // An error keeps its code in any encoding.
    let text = Zeroizing::new(String::from_utf8_lossy(body).into_owned());
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // The values are not copied, because they may contain tokens.
    let members: HashMap<String, &RawValue> = serde_json::from_str(text).unwrap_or_default();
    let code: Option<String> = field(&members, "error").filter(|code: &String| !code.is_empty());
    let (suberror, description): (Option<String>, Option<String>) =
        (field(&members, "suberror"), field(&members, "error_description"));
    let numbers: Vec<u64> = field(&members, "error_codes").unwrap_or_default();
    let refusal = code.as_deref().map(|code| Refusal {
        code,
        suberror: suberror.as_deref(),
        numbers: &numbers,
        description: description.as_deref(),
    });
    class_of(status, refusal.as_ref())
}

/// A field of another type counts as missing.
fn field<T: DeserializeOwned>(members: &HashMap<String, &RawValue>, name: &str) -> Option<T> {
    members.get(name).and_then(|value| serde_json::from_str(value.get()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overloaded_authority_is_recognized_by_its_error_and_then_by_its_status() {
        for (status, body, expected) in [
            (400, r#"{"error":"temporarily_unavailable"}"#, Some(Class::Busy)),
            (200, r#"{"error":"server_error","error_codes":[90041]}"#, Some(Class::Busy)),
            (400, r#"{"error":"invalid_grant","error_codes":[90033]}"#, Some(Class::Busy)),
            (400, "\u{feff}{\"error\":\"server_error\"}", Some(Class::Busy)),
            (503, "<html>", Some(Class::Busy)),
            (429, "", Some(Class::Busy)),
            (503, r#"{"error":"invalid_grant"}"#, Some(Class::DeadGrant)),
            (400, r#"{"error":"invalid_grant","error_codes":"90033"}"#, Some(Class::DeadGrant)),
            (400, r#"{"error":["server_error"]}"#, None),
            (200, r#"{"access_token":"at","expires_in":1}"#, None),
            (200, r#"{"access_token":"at","error":""}"#, None),
            (302, "", None),
        ] {
            assert_eq!(class(status, body.as_bytes()), expected, "{status} {body}");
        }
        let latin_1 = b"{\"error\":\"server_error\",\"error_description\":\"ung\xfcltig\"}";
        assert_eq!(class(400, latin_1), Some(Class::Busy));
    }
}
