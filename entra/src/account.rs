//! The home account id, `<uid>.<utid>`: an object id and its home tenant. AD FS accounts have an id
//! without a dot.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

/// The uid and the utid, where the id has exactly one dot.
#[must_use]
pub fn parts(home_account_id: &str) -> Option<(&str, &str)> {
    home_account_id.split_once('.').filter(|(_, utid)| !utid.contains('.'))
}

/// The tenant that an account lives in, where its id names one.
#[must_use]
pub fn home_tenant(home_account_id: &str) -> Option<&str> {
    parts(home_account_id).map(|(_, utid)| utid)
}

/// The home account id of a token response's `client_info`: base64url of a JSON object with `uid`
/// and `utid`, with or without padding.
#[must_use]
// Inlined, so that the component contains the parser's functions only once.
#[inline]
pub fn of_client_info(client_info: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct ClientInfo {
        uid: String,
        utid: String,
    }

    const BASE64URL: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let json = BASE64URL.decode(client_info).ok()?;
    let ClientInfo { uid, utid } = serde_json::from_slice(&json).ok()?;
    Some(format!("{uid}.{utid}"))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn only_one_dot_makes_a_home_tenant() {
        for (text, tenant) in [("uid.utid", Some("utid")), ("uid", None), ("a.b.c", None), ("", None)] {
            assert_eq!(home_tenant(text), tenant, "{text}");
        }
    }

    #[test]
    fn client_info_names_the_account_padded_or_not() {
        for engine in [URL_SAFE, URL_SAFE_NO_PAD] {
            let id = |json: &str| of_client_info(&engine.encode(json));
            assert_eq!(id(r#"{"uid":"UID","utid":"utid"}"#).as_deref(), Some("UID.utid"));
            assert_eq!(id(r#"{"uid":"UID"}"#), None);
            assert_eq!(id("UID.utid"), None);
        }
        assert_eq!(of_client_info("{}"), None);
    }
}
