//! The `claims` parameter of a request.

use crate::document::Object;
use crate::error::Error;

/// The client capability `CP1`: the client can answer a claims challenge, as Continuous Access
/// Evaluation requires.
const CAPABILITIES: &str = r#"{"values":["CP1"]}"#;

/// The claims to send: those of the call, merged with the client's capabilities when it enables
/// CAE.
pub(crate) fn merged(claims: Option<&str>, enable_cae: bool) -> Result<Option<String>, Error> {
    let claims = claims.filter(|claims| !claims.trim().is_empty());
    let given = claims.map(Object::parse).transpose().map_err(|error| {
        Error::InvalidArgument(format!(
            "the claims are not a JSON object: line {}, column {}; pass the content of the claims challenge, decoded \
             from base64",
            error.line(),
            error.column()
        ))
    })?;
    if !enable_cae {
        return Ok(claims.map(str::to_owned));
    }
    let mut root = given.unwrap_or_else(Object::empty);
    let access_token = root.get("access_token").unwrap_or("{}").to_owned();
    // `null` requests nothing in particular, so the capabilities may replace it.
    let mut access_token = match access_token.as_str() {
        "null" => Object::empty(),
        other => Object::parse(other)
            .map_err(|_| Error::InvalidArgument("the claims have an `access_token` that is not an object".into()))?,
    };
    access_token.set_compact("xms_cc", CAPABILITIES);
    let access_token = access_token.to_compact_text();
    root.set_compact("access_token", &access_token);
    Ok(Some(root.to_compact_text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_go_out_as_given_without_cae() {
        assert_eq!(merged(None, false), Ok(None));
        assert_eq!(merged(Some(""), false), Ok(None));
        assert_eq!(merged(Some(r#"{"a": 1}"#), false), Ok(Some(r#"{"a": 1}"#.into())));
    }

    #[test]
    fn cae_adds_the_client_capabilities_to_the_given_claims() {
        for (given, expected) in [
            (None, r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#),
            (
                Some(r#"{"access_token":{"nbf":{"essential":true,"value":"1"}},"id_token":{}}"#),
                r#"{"access_token":{"nbf":{"essential":true,"value":"1"},"xms_cc":{"values":["CP1"]}},"id_token":{}}"#,
            ),
            (
                Some(r#"{"access_token":{"xms_cc":{"values":["other"]}}}"#),
                r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#,
            ),
            (Some(r#"{"access_token":null}"#), r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#),
        ] {
            assert_eq!(merged(given, true).unwrap().as_deref(), Some(expected));
        }
    }

    #[test]
    fn claims_other_than_an_object_are_refused_before_anything_is_sent() {
        for (claims, cae) in [("[]", false), ("{", true), ("nonsense", false), (r#"{"access_token":7}"#, true)] {
            assert!(matches!(merged(Some(claims), cae), Err(Error::InvalidArgument(_))), "{claims}");
        }
    }
}
