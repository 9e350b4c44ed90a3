//! Responses of a token endpoint.

use std::borrow::Cow;

use shared_token_cache_entra::account::of_client_info;
use shared_token_cache_entra::token::{BEARER, is_a_time, is_bearer};
use shared_token_cache_entra::{Class, PAGE, Refusal, Secret, class_of, is_a_page};

use crate::document::{Object, json};
use crate::error::{Error, OAuthError};
use crate::platform::FormReply;
use crate::types::HomeAccountId;

/// Text from the authority is truncated to this many bytes in errors.
const LONGEST_TEXT: usize = 2_000;

/// RFC 8259, section 8.1: a parser may skip it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A token response.
#[derive(Debug)]
pub(crate) struct TokenReply {
    pub(crate) access_token: Secret,
    pub(crate) token_type: String,
    pub(crate) expires_on: u64,
    pub(crate) extended_expires_on: u64,
    pub(crate) refresh_on: Option<u64>,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_token: Option<Secret>,
    pub(crate) family_id: Option<String>,
}

/// The result of an exchange that got a response.
#[derive(Debug)]
pub(crate) enum Outcome {
    Token(Box<TokenReply>),
    Refused {
        error: OAuthError,
        /// The authority refused this refresh token because the client is not in its family.
        client_mismatch: bool,
    },
    /// A token response without a usable access token.
    Unusable {
        why: Error,
        /// The refresh token of the response. It replaces the redeemed one, which may no longer be
        /// valid.
        refresh_token: Option<Secret>,
    },
    /// The authority failed, or another server answered. A retry can succeed.
    Busy(String),
}

/// Reads a response. `requested_at` is the time just before the request, so the computed expiry is
/// never later than the real one.
pub(crate) fn read(reply: &FormReply, account: &HomeAccountId, requested_at: u64) -> Result<Outcome, Error> {
    let status = reply.status;
    let body = Object::parse(reply.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&reply.body)).ok();
    let error = body.as_ref().and_then(|body| Some(oauth_error(&text(body, "error")?, body)));
    if class(status, error.as_ref()).is_some_and(Class::may_pass) {
        return Ok(Outcome::Busy(busy(status, error.as_ref())));
    }
    if let (Some(error), Some(body)) = (error, &body) {
        return Ok(Outcome::Refused { client_mismatch: is_client_mismatch(&error.code, body), error });
    }
    if is_a_page(status, reply.body.as_bytes()) {
        return Ok(Outcome::Busy(format!("the authority answered with status {status} and no JSON: {PAGE}")));
    }
    let unexpected =
        |what: &str| Error::unexpected_response(format!("the authority answered with status {status} and {what}"));
    if reply.body.is_empty() {
        return Err(unexpected("an empty body"));
    }
    let Some(body) = body else { return Err(unexpected("a body that is not a JSON object")) };
    if status != 200 {
        return Err(unexpected("neither a token nor an OAuth 2.0 error"));
    }
    // Checked after errors, which keep their code even if their description has a replaced
    // character. In a token, a replaced character would break it.
    if reply.body.contains(char::REPLACEMENT_CHARACTER) {
        return Err(unexpected("a body that is not UTF-8"));
    }
    Ok(match token(&body, account, requested_at) {
        Ok(token) => Outcome::Token(Box::new(token)),
        Err(ANOTHER_ACCOUNT) => Outcome::Unusable { why: unexpected(ANOTHER_ACCOUNT), refresh_token: None },
        Err(what) => Outcome::Unusable { why: unexpected(what), refresh_token: secret(&body, "refresh_token") },
    })
}

/// The class of a response, from the table that the host uses too.
fn class(status: u16, error: Option<&OAuthError>) -> Option<Class> {
    let refusal = error.map(|error| Refusal {
        code: &error.code,
        suberror: error.suberror.as_deref(),
        numbers: &error.error_codes,
        description: error.description.as_deref(),
    });
    class_of(status, refusal.as_ref())
}

fn busy(status: u16, error: Option<&OAuthError>) -> String {
    let code = error.map(|error| format!(" ({})", error.code)).unwrap_or_default();
    let description = error.and_then(|error| error.description.as_deref());
    let description = description.map(|text| format!(": {text}")).unwrap_or_default();
    format!("the authority answered with status {status}{code}{description}")
}

/// The response's refresh token belongs to the other account too, so it is not kept.
const ANOTHER_ACCOUNT: &str = "a token of another account";

fn token(body: &Object<'_>, account: &HomeAccountId, requested_at: u64) -> Result<TokenReply, &'static str> {
    if let Some(info) = text(body, "client_info")
        && !is_of_account(&info, account)
    {
        return Err(ANOTHER_ACCOUNT);
    }
    let access_token = secret(body, "access_token").ok_or("no access token")?;
    let token_type = text(body, "token_type").map(|kind| kind.trim().to_owned()).unwrap_or_else(|| BEARER.into());
    if !is_bearer(&token_type) {
        return Err("a token of another type than Bearer, which the caller could not use");
    }
    let expires_in = number(body, "expires_in");
    let expires_on = number(body, "expires_on")
        .filter(is_a_time)
        .or_else(|| expires_in.map(|lifetime| requested_at.saturating_add(lifetime)))
        .filter(is_a_time)
        .ok_or("no usable lifetime of the token")?;
    if expires_on <= requested_at {
        return Err("a token that has expired already; check this machine's clock");
    }
    let lifetime = expires_in.unwrap_or_else(|| expires_on.saturating_sub(requested_at));
    // Without `refresh_in`, a token of two hours or more is renewed at half its life, as in
    // azure-identity.
    let refresh_in = number(body, "refresh_in").or_else(|| (lifetime >= 7200).then_some(lifetime / 2));
    let extended = number(body, "ext_expires_in").map(|extra| requested_at.saturating_add(extra));
    Ok(TokenReply {
        access_token,
        token_type,
        expires_on,
        extended_expires_on: extended.unwrap_or(expires_on),
        refresh_on: refresh_in.map(|seconds| requested_at.saturating_add(seconds)),
        refresh_token: secret(body, "refresh_token"),
        id_token: secret(body, "id_token"),
        family_id: text(body, "foci"),
    })
}

/// An id that `client_info` does not contain cannot contradict the account.
fn is_of_account(client_info: &str, account: &HomeAccountId) -> bool {
    of_client_info(client_info).is_none_or(|id| id.eq_ignore_ascii_case(account.as_str()))
}

fn oauth_error(code: &str, body: &Object<'_>) -> OAuthError {
    let line = |field| text(body, field).map(|text| printable(&text));
    let error_codes = body.get("error_codes").and_then(|codes| serde_json::from_str(codes).ok()).unwrap_or_default();
    OAuthError {
        code: printable(code),
        suberror: line("suberror"),
        description: line("error_description"),
        error_codes,
        claims: text(body, "claims"),
        correlation_id: line("correlation_id"),
    }
}

/// Microsoft Entra ID lists it in `error_additional_info` (`msal/application.py`); the code and the
/// suberror are checked too.
fn is_client_mismatch(code: &str, body: &Object<'_>) -> bool {
    const CLIENT_MISMATCH: &str = "client_mismatch";
    let listed: Option<Vec<String>> =
        body.get("error_additional_info").and_then(|list| serde_json::from_str(list).ok());
    code == CLIENT_MISMATCH
        || text(body, "suberror").is_some_and(|suberror| suberror == CLIENT_MISMATCH)
        || listed.is_some_and(|listed| listed.iter().any(|entry| entry == CLIENT_MISMATCH))
}

/// A string field that is not empty. A field of another type counts as missing.
fn text(body: &Object<'_>, field: &str) -> Option<String> {
    body.get(field).and_then(json::text).filter(|text| !text.is_empty()).map(Cow::into_owned)
}

fn secret(body: &Object<'_>, field: &str) -> Option<Secret> {
    text(body, field).map(Secret::new)
}

/// A number of seconds, as a number or a string: Microsoft Entra ID's v1 endpoints write strings.
fn number(body: &Object<'_>, field: &str) -> Option<u64> {
    body.get(field).and_then(json::seconds)
}

/// Text from the authority for a message: on one line, and truncated.
fn printable(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    if line.len() > LONGEST_TEXT {
        let end = (0..=LONGEST_TEXT).rev().find(|&end| line.is_char_boundary(end)).unwrap_or_default();
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    fn account() -> HomeAccountId {
        HomeAccountId::new("uid.utid").unwrap()
    }

    fn read_json(status: u16, json: &str) -> Result<Outcome, Error> {
        read(&FormReply { status, body: json.to_owned() }, &account(), 1000)
    }

    fn token_of(json: &str) -> TokenReply {
        match read_json(200, json) {
            Ok(Outcome::Token(token)) => *token,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lifetimes_are_numbers_or_strings() {
        for (fields, expires_on, refresh_on) in [
            (r#""expires_in":3600"#, 4600, None),
            (r#""expires_in":"3600""#, 4600, None),
            (r#""expires_on":"5000""#, 5000, None),
            (r#""expires_on":5000,"expires_in":1"#, 5000, None),
            (r#""expires_in":7199"#, 8199, None),
            (r#""expires_in":7200"#, 8200, Some(4600)),
            (r#""expires_in":7200,"refresh_in":"60""#, 8200, Some(1060)),
            (r#""expires_on":9000"#, 9000, Some(5000)),
        ] {
            let token = token_of(&format!(r#"{{"access_token":"at",{fields}}}"#));
            assert_eq!((token.expires_on, token.refresh_on), (expires_on, refresh_on), "{fields}");
        }
    }

    #[test]
    fn a_response_without_a_usable_token_is_unexpected_and_its_refresh_token_is_kept() {
        let other = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"uid":"other","utid":"utid"}"#);
        for (fields, part, kept) in [
            (r#""expires_in":0"#.to_owned(), "has expired already", true),
            (r#""expires_in":-5"#.into(), "no usable lifetime", true),
            (r#""expires_in":1700000000000"#.into(), "no usable lifetime", true),
            (r#""expires_on":1700000000000"#.into(), "no usable lifetime", true),
            (r#""expires_on":"999""#.into(), "has expired already", true),
            (r#""expires_in":3600,"token_type":"pop""#.into(), "another type than Bearer", true),
            (r#""expires_in":3600,"access_token":"""#.into(), "no access token", true),
            (format!(r#""expires_in":3600,"client_info":"{other}""#), "another account", false),
            (format!(r#""expires_in":0,"token_type":"pop","client_info":"{other}""#), "another account", false),
        ] {
            match read_json(200, &format!(r#"{{"access_token":"at","refresh_token":"rt",{fields}}}"#)) {
                Ok(Outcome::Unusable { why, refresh_token }) => {
                    let why = format!("{why}");
                    assert!(why.contains(part), "{fields}: {why}");
                    assert_eq!(refresh_token.is_some(), kept, "{fields}");
                }
                other => panic!("{fields}: {other:?}"),
            }
        }
        for kind in ["Bearer ", " bearer", "BEARER\t"] {
            let token = token_of(&format!(r#"{{"access_token":"at","expires_in":1,"token_type":{kind:?}}}"#));
            assert_eq!(token.token_type, kind.trim());
        }
        let token = token_of(r#"{"access_token":"at","expires_in":3600,"expires_on":1700000000000}"#);
        assert_eq!(token.expires_on, 4600, "milliseconds are not counted as seconds");
    }

    #[test]
    fn a_response_without_a_token_is_unexpected_and_not_quoted() {
        let other = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"uid":"other","utid":"utid"}"#);
        for (status, json) in [
            (200, String::new()),
            (200, "hunter2".into()),
            (200, r#""hunter2""#.into()),
            (200, r#"{"expires_in":3600,"refresh_token":"hunter2"}"#.into()),
            (200, r#"{"access_token":"hunter2"}"#.into()),
            (200, r#"{"access_token":["hunter2"],"expires_in":1}"#.into()),
            (200, format!(r#"{{"access_token":"hunter2","expires_in":1,"client_info":"{other}"}}"#)),
            (404, r#"{"access_token":"hunter2","expires_in":1}"#.into()),
        ] {
            match read_json(status, &json) {
                Err(error @ Error::ClientAuthentication(_))
                | Ok(Outcome::Unusable { why: error @ Error::ClientAuthentication(_), .. }) => {
                    assert!(!format!("{error:?}").contains("hunter2"))
                }
                other => panic!("{json}: {other:?}"),
            }
        }
    }

    #[test]
    fn client_info_of_the_account_itself_is_fine_padded_or_not() {
        for engine in [base64::engine::general_purpose::URL_SAFE, base64::engine::general_purpose::URL_SAFE_NO_PAD] {
            let own = engine.encode(r#"{"uid":"UID","utid":"utid"}"#);
            token_of(&format!(r#"{{"access_token":"at","expires_in":1,"client_info":"{own}"}}"#));
        }
    }

    #[test]
    fn an_oauth_error_keeps_all_its_fields() {
        let json = r#"{"error":"invalid_grant","suberror":"bad_token","error_description":"AADSTS50173:\r\n expired",
            "error_codes":[50173],"claims":"{}","correlation_id":"c","timestamp":"t"}"#;
        match read_json(400, json) {
            Ok(Outcome::Refused { error, client_mismatch: false }) => assert_eq!(
                error,
                OAuthError {
                    code: "invalid_grant".into(),
                    suberror: Some("bad_token".into()),
                    description: Some("AADSTS50173: expired".into()),
                    error_codes: vec![50173],
                    claims: Some("{}".into()),
                    correlation_id: Some("c".into()),
                }
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_client_mismatch_is_found_in_any_of_three_fields() {
        for json in [
            r#"{"error":"client_mismatch"}"#,
            r#"{"error":"invalid_grant","suberror":"client_mismatch"}"#,
            r#"{"error":"invalid_grant","error_additional_info":["other","client_mismatch"]}"#,
        ] {
            assert!(matches!(read_json(400, json), Ok(Outcome::Refused { client_mismatch: true, .. })), "{json}");
        }
    }

    #[test]
    fn an_overloaded_authority_is_busy_and_not_a_refusal() {
        for status in [429, 500, 503] {
            assert!(matches!(read_json(status, r#"{"error":"temporarily_unavailable"}"#), Ok(Outcome::Busy(_))));
        }
    }

    #[test]
    fn a_busy_error_is_busy_with_every_status() {
        for status in [200, 400, 401] {
            for json in [
                r#"{"error":"temporarily_unavailable"}"#,
                r#"{"error":"server_error","error_codes":[90041]}"#,
                r#"{"error":"invalid_grant","error_codes":[50033]}"#,
                r#"{"error":"invalid_grant","error_description":"AADSTS50087: try again."}"#,
            ] {
                assert!(matches!(read_json(status, json), Ok(Outcome::Busy(_))), "{status} {json}");
            }
        }
    }

    #[test]
    fn a_permanent_error_is_a_refusal_with_every_status() {
        for status in [200, 400, 429, 503] {
            assert!(
                matches!(read_json(status, r#"{"error":"invalid_grant"}"#), Ok(Outcome::Refused { .. })),
                "{status}"
            );
        }
    }

    #[test]
    fn a_page_in_place_of_a_response_is_reported_and_not_quoted() {
        for (status, body) in [
            (302, "hunter2"),
            (200, "<html>hunter2</html>"),
            (403, "\n<!DOCTYPE html>hunter2"),
            (307, r#"{"access_token":"hunter2","expires_in":1}"#),
        ] {
            match read_json(status, body) {
                Ok(Outcome::Busy(why)) => {
                    assert!(why.contains("a proxy or portal seems to answer") && !why.contains("hunter2"), "{why}");
                }
                other => panic!("{status} {body}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped_in_a_token_and_in_an_error() {
        token_of("\u{feff}{\"access_token\":\"at\",\"expires_in\":1}");
        let refused = read_json(400, "\u{feff}{\"error\":\"invalid_grant\"}");
        assert!(matches!(refused, Ok(Outcome::Refused { .. })), "{refused:?}");
    }

    #[test]
    fn an_error_that_is_not_utf_8_keeps_its_code_and_such_a_token_is_refused() {
        let reply = |status, body: &[u8]| {
            let body = String::from_utf8_lossy(body).into_owned();
            read(&FormReply { status, body }, &account(), 1000)
        };
        let refused = reply(400, b"{\"error\":\"invalid_grant\",\"error_description\":\"ung\xfcltig\"}");
        match refused {
            Ok(Outcome::Refused { error, .. }) => {
                assert_eq!(
                    (error.code.as_str(), error.description.as_deref()),
                    ("invalid_grant", Some("ung\u{fffd}ltig"))
                );
            }
            other => panic!("{other:?}"),
        }
        assert!(reply(200, b"{\"access_token\":\"hunter\xfc\",\"expires_in\":1}").is_err());
    }

    #[test]
    fn text_is_truncated_at_a_character_boundary() {
        assert_eq!(printable(&"ä".repeat(LONGEST_TEXT)).chars().last(), Some('…'));
    }
}
