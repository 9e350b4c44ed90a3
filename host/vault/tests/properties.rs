//! Properties of every document.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::format_push_string, reason = "helpers of tests")]

use std::sync::Arc;

use proptest::prelude::*;
use shared_token_cache_core::{CacheDocument, Document, ReadError};
use shared_token_cache_policy::{CacheName, Policy};
use shared_token_cache_vault::{Credential, Form, NotUtf8, Refused, Request, Session, Vault};

const NAME: &str = "msal.cache.nocae";
const HOST: &str = "login.microsoftonline.com";
const SCOPE: &str = "https://vault.azure.net/.default";
const NOW: u64 = 1_700_000_000;
/// Part of every secret, and of no other text.
const MARK: &str = "hunter2";

fn session() -> Session {
    let credential = Credential {
        cache_name: "msal.cache".into(),
        authority: HOST.into(),
        client_id: "client".into(),
        policy: Arc::new(Policy::for_current_user(CacheName::default())),
        ..Credential::default()
    };
    Vault::new(credential, 1 << 20).unwrap().session()
}

/// A session in a call with an answered redemption, so that it may write.
fn answered(body: &str, status: u16) -> (Session, String) {
    let mut session = session();
    session.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() }).unwrap();
    let document = r#"{"Account":{"a":{"home_account_id":"uid.utid","environment":"login.windows.net","username":"user0@contoso.com"}},
        "RefreshToken":{"r":{"home_account_id":"uid.utid","environment":"login.windows.net","client_id":"client","secret":"rt-old"}}}"#;
    let sealed = session.vault().clone().seal_document(NAME, "0", document.as_bytes().to_vec()).unwrap();
    let text = session.hold(sealed).unwrap();
    let handle = text.split('"').find(|text| text.starts_with("sealed-r-")).unwrap();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", handle),
        ("scope", SCOPE),
        ("client_id", "client"),
        ("client_info", "1"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let form = Form { authority_host: HOST, tenant: "organizations", headers: &[], fields: &fields };
    let redemption = session.open_form(&form).unwrap().redemption;
    let sealed = session.seal_reply(redemption, status, body.as_bytes().to_vec(), NOW);
    (session, sealed)
}

/// The text that the component reads, or the error.
fn seal(session: &mut Session, document: &[u8]) -> Result<String, ReadError> {
    let sealed = session.vault().clone().seal_document(NAME, "1", document.to_vec()).unwrap();
    session.hold(sealed).map_err(|NotUtf8 { line, column }| ReadError::NotUtf8 { line, column })
}

/// JSON before serialization, so that order, repetition and spelling are free.
#[derive(Debug, Clone)]
enum Json {
    Word(&'static str),
    /// The inside of a string.
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

/// The inside of keys, and whether they name a secret.
const KEYS: [(&str, bool); 28] = [
    ("secret", true),
    ("\\u0073ecret", true),
    ("s\\u0065cre\\u0074", true),
    ("Secret", true),
    ("refresh_token", true),
    ("id\\u005ftoken", true),
    ("refreshToken", true),
    ("accessToken", true),
    ("password", true),
    ("client_secret", true),
    ("session-key", true),
    ("assertion", true),
    ("secret ", true),
    ("secret\\u0000", false),
    ("\\ud800", false),
    ("AccessToken", false),
    ("RefreshToken", false),
    ("\\u0052efreshToken", false),
    ("IdToken", false),
    ("Account", false),
    ("Unknown", false),
    ("", false),
    ("home_account_id", false),
    ("environment", false),
    ("client_id", false),
    ("target", false),
    ("a\\\"b", false),
    ("\u{e9}", false),
];

fn any_json() -> impl Strategy<Value = Json> {
    let words = vec!["null", "true", "false", "0", "-0.5e+10", "1e400", "12345678901234567890123"];
    let texts = vec![
        "",
        "x",
        "\\\"",
        "\\\\",
        "\\ud800",
        "\\ud83d\\ude00",
        "\\/",
        "\u{1f600}",
        "sealed-r-AAAAAAAAAAAAAAAAAAAAAA",
        "sealed-r-AAAAAAAAAAAAAAAAAAAAAA\\ud800",
        "[\\\"secret\\\"]",
    ];
    let leaf = prop_oneof![
        1 => prop::sample::select(words).prop_map(Json::Word),
        3 => prop::sample::select(texts).prop_map(|text| Json::Text(text.to_owned())),
    ];
    leaf.prop_recursive(7, 60, 6, |inner| {
        let key = prop::sample::select(KEYS.iter().map(|(key, _)| *key).collect::<Vec<_>>());
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
            5 => prop::collection::vec((key, inner), 0..6).prop_map(Json::Object),
        ]
    })
}

/// An object three levels deep, like a cache, with any content.
fn any_document() -> impl Strategy<Value = Json> {
    let key = || prop::sample::select(KEYS.iter().map(|(key, _)| *key).collect::<Vec<_>>());
    let entry = prop::collection::vec((key(), any_json()), 0..6).prop_map(Json::Object);
    let section = prop::collection::vec((key(), entry), 0..4).prop_map(Json::Object);
    let member = prop_oneof![3 => section, 1 => any_json()];
    prop::collection::vec((key(), member), 0..5).prop_map(Json::Object)
}

/// Writes `json` with white space in all places. The strings of secrets contain the mark; so does
/// the whole content of a container that is a secret as a whole.
fn write(json: &Json, space: &str, depth: usize, secret: bool, whole: bool, text: &mut String) {
    match json {
        Json::Word(word) => text.push_str(word),
        Json::Text(inner) if (secret || whole) && !inner.is_empty() => {
            text.push_str(&format!("\"{MARK}{inner}\""));
        }
        Json::Text(inner) => text.push_str(&format!("\"{inner}\"")),
        Json::Array(elements) => {
            text.push_str(&format!("[{space}"));
            for (position, element) in elements.iter().enumerate() {
                text.push_str(if position > 0 { "," } else { "" });
                write(element, space, depth + 1, false, whole || secret, text);
                text.push_str(space);
            }
            text.push(']');
        }
        Json::Object(members) => {
            text.push_str(&format!("{{{space}"));
            for (position, (key, value)) in members.iter().enumerate() {
                let comma = if position > 0 { "," } else { "" };
                text.push_str(&format!("{comma}{space}\"{key}\"{space}:{space}"));
                let named = (secret && depth == 1) || KEYS.iter().any(|(name, secret)| name == key && *secret);
                write(value, space, depth + 1, named, whole || (secret && depth >= 3), text);
            }
            text.push('}');
        }
    }
}

fn spaces() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", " ", "\n", "\r\n\t"])
}

proptest! {
    // A failure is printed, and becomes a test of its own.
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sealed_document_has_no_secret_and_opens_to_the_original(json in any_document(), space in spaces(), mark in any::<bool>()) {
        let mut text = String::from(if mark { "\u{feff}" } else { "" });
        text.push_str(space);
        write(&json, space, 0, false, false, &mut text);
        text.push_str(space);
        let (mut session, _) = answered(r#"{"error":"invalid_grant"}"#, 400);
        let sealed = seal(&mut session, text.as_bytes()).unwrap();
        prop_assert!(!sealed.contains(MARK), "{}\n{}", text, sealed);
        let before = Document::parse(text.clone());
        let after = Document::parse(sealed.clone());
        prop_assert_eq!(before.as_ref().err(), after.as_ref().err());
        // A document whose outermost keys are not text is damaged, and is not opened.
        if before.is_ok() {
            let open = session.open_document(NAME, "1", &sealed).unwrap();
            prop_assert_eq!(open.content(), text.as_bytes());
            session.replaced(open, "2");
            prop_assert_eq!(session.open_document(NAME, "2", &sealed).unwrap_err(), Refused::TooManyWrites);
        }
    }

    #[test]
    fn equal_documents_have_equal_handles_at_every_reload(json in any_document()) {
        let mut text = String::new();
        write(&json, "", 0, false, false, &mut text);
        let mut session = session();
        let sealed = seal(&mut session, text.as_bytes()).unwrap();
        prop_assert_eq!(&sealed, &seal(&mut session, text.as_bytes()).unwrap());
        let newer = session.vault().seal_document(NAME, "2", text.clone().into_bytes()).unwrap();
        prop_assert_eq!(&sealed, &session.hold(newer).unwrap());
    }

    #[test]
    fn the_component_finds_damage_at_its_original_place(text in "[\\{\\}\\[\\]\",:a-c0-9 \\\\\ntrue\u{feff}\u{e9}.-]{0,60}", cut in 0_usize..4) {
        let mut bytes = text.into_bytes();
        bytes.truncate(bytes.len().saturating_sub(cut));
        let sealed = seal(&mut session(), &bytes);
        let plain = CacheDocument::text(bytes);
        prop_assert_eq!(plain.map(Document::parse).map(Result::err), sealed.map(Document::parse).map(Result::err));
    }

    #[test]
    fn a_truncated_or_torn_document_reveals_its_place_and_no_secret(
        json in any_document(), space in spaces(), at in any::<prop::sample::Index>(), junk in any::<Option<u8>>(),
    ) {
        let mut text = String::new();
        write(&json, space, 0, false, false, &mut text);
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        match junk {
            Some(junk) => bytes[at] = junk,
            None => bytes.truncate(at),
        }
        let sealed = seal(&mut session(), &bytes);
        let expected = CacheDocument::text(bytes).map(Document::parse).map(Result::err);
        if let (Ok(Some(_)), Ok(sealed)) = (&expected, &sealed) {
            prop_assert!(sealed.trim().len() <= 1);
        }
        prop_assert_eq!(expected, sealed.map(Document::parse).map(Result::err));
    }
}
