//! What may be stored.

use shared_token_cache_vault::{Credential, Kind, Refused};

use crate::cache::{Fixture, NAME, NOW, SCOPE};

#[test]
fn a_replaced_document_has_each_secret_in_its_place() {
    let unknown = |kind| Refused::UnknownHandle(kind);
    type Change = fn(&Fixture, &str) -> String;
    let rows: Vec<(&str, Change, Refused)> = vec![
        ("two refresh tokens swapped", |f, text| f.swap(text, "r0", "r1"), Refused::WrongEntry(Kind::RefreshToken)),
        ("two access tokens swapped", |f, text| f.swap(text, "a0", "a1"), Refused::MalformedEntry("AccessToken")),
        ("another kind", |f, text| f.put(text, "a0", &f.handle("r0")), Refused::MalformedEntry("AccessToken")),
        (
            "an unknown secret as a token",
            |f, text| f.put(text, "a0", &f.handle("o0")),
            Refused::MalformedEntry("AccessToken"),
        ),
        ("a token as an unknown secret", |f, text| f.put(text, "o0", &f.handle("r0")), Refused::ChangedDocument),
        ("two unknown secrets swapped", |f, text| f.swap(text, "o0", "o1"), Refused::ChangedDocument),
        ("plain text", |f, text| f.put(text, "r0", "rt-made-up"), Refused::PlainSecret),
        ("a number", |f, text| text.replacen(&format!("\"{}\"", f.handle("r0")), "7", 1), Refused::PlainSecret),
        (
            "an object",
            |f, text| text.replacen(&format!("\"{}\"", f.handle("r0")), "{\"x\":1}", 1),
            Refused::PlainSecret,
        ),
        (
            "a handle with text around",
            |f, text| f.put(text, "r0", &format!("x{}", f.handle("r0"))),
            Refused::PlainSecret,
        ),
        (
            "an escaped handle",
            |f, text| f.put(text, "r0", &f.handle("r0").replacen('s', "\\u0073", 1)),
            Refused::PlainSecret,
        ),
        (
            "a made-up handle",
            |f, text| f.put(text, "r0", "sealed-r-AAAAAAAAAAAAAAAAAAAAAA"),
            unknown(Kind::RefreshToken),
        ),
        (
            "a token in a new field",
            |f, text| text.replacen("\"username\"", &format!("\"note\":\"see {}\",\"username\"", f.handle("r0")), 1),
            Refused::ChangedAccounts,
        ),
        (
            "an escaped handle in a new field",
            |f, text| {
                let handle = f.handle("r0").replacen('s', "\\u0073", 1);
                text.replacen("\"username\"", &format!("\"note\":\"{handle}\",\"username\""), 1)
            },
            Refused::ChangedAccounts,
        ),
        (
            "a token as a key",
            |f, text| text.replacen("\"username\"", &format!("\"{}\":1,\"username\"", f.handle("r0")), 1),
            Refused::ChangedAccounts,
        ),
        (
            "an entry twice",
            |f, text| {
                text.replacen(
                    "\"RefreshToken\":{",
                    &format!("\"RefreshToken\":{{\"copy\":{{\"secret\":\"{}\"}},", f.handle("r0")),
                    1,
                )
            },
            Refused::ChangedEntry(Kind::RefreshToken),
        ),
        (
            "a wider target",
            |_, text| text.replacen(SCOPE, "https://graph.contoso.com/.default", 1),
            Refused::MalformedEntry("AccessToken"),
        ),
        (
            "a longer life",
            |_, text| text.replacen("\"1700003600\"", "\"1900000000\"", 1),
            Refused::MalformedEntry("AccessToken"),
        ),
        (
            "a family",
            |f, text| {
                let entry = format!("\"secret\":\"{}\"", f.handle("r-other"));
                text.replacen(&entry, &format!("{entry},\"family_id\":\"1\""), 1)
            },
            Refused::ChangedEntry(Kind::RefreshToken),
        ),
        (
            "a field twice",
            |f, text| {
                let entry = format!("\"secret\":\"{}\"", f.handle("r0"));
                text.replacen(&entry, &format!("{entry},\"client_id\":\"client\""), 1)
            },
            Refused::ChangedEntry(Kind::RefreshToken),
        ),
        (
            "a refresh token less",
            |_, text| {
                let (start, end) = (text.find("\"r0\":").unwrap(), text.find("\"r1\":").unwrap());
                format!("{}{}", &text[..start], &text[end..])
            },
            Refused::RemovedRefreshToken,
        ),
        ("another name for an account", |_, text| text.replacen("user0@", "user1@", 1), Refused::ChangedAccounts),
        (
            "a second section of accounts",
            |_, text| text.replacen("\"RefreshToken\"", "\"Account\":{},\"RefreshToken\"", 1),
            Refused::ChangedDocument,
        ),
        ("an empty section behind", |_, text| behind(text, r#""RefreshToken":{}"#), Refused::ChangedDocument),
        ("a section of another name in behind", |_, text| behind(text, r#""Note":{}"#), Refused::ChangedDocument),
        ("a byte order mark", |_, text| format!("\u{feff}{text}"), Refused::ChangedDocument),
        ("metadata that is no section", |_, text| behind(text, r#""AppMetadata":7"#), Refused::ChangedDocument),
        (
            "metadata without a redemption",
            |_, text| {
                let entry = r#""appmetadata-login.microsoftonline.com-client":{"client_id":"client","environment":"login.microsoftonline.com"}"#;
                behind(text, &format!(r#""AppMetadata":{{{entry}}}"#))
            },
            Refused::ChangedDocument,
        ),
        ("a second section of access tokens", |_, text| behind(text, r#""AccessToken":{}"#), Refused::ChangedDocument),
        (
            "a section that is a number",
            |_, text| text.replacen("\"IdToken\":{", "\"IdToken\":7,\"Note\":{", 1),
            Refused::ChangedDocument,
        ),
        (
            "a section that is null",
            |_, text| text.replacen("\"RefreshToken\":{", "\"RefreshToken\":null,\"Note\":{", 1),
            Refused::ChangedDocument,
        ),
        (
            "an entry that is a number",
            |_, text| text.replacen("\"IdToken\":{", "\"IdToken\":{\"x\":7,", 1),
            Refused::MalformedEntry("IdToken"),
        ),
        (
            "an entry twice that is empty the second time",
            |_, text| text.replacen(",\"r-family\"", ",\"r0\":{},\"r-family\"", 1),
            Refused::ChangedDocument,
        ),
        (
            "a refresh token without a secret",
            |_, text| {
                let entry =
                    r#""zz":{"home_account_id":"uid-0.utid-0","environment":"login.windows.net","family_id":"1"},"#;
                text.replacen("\"RefreshToken\":{", &format!("\"RefreshToken\":{{{entry}"), 1)
            },
            Refused::ChangedEntry(Kind::RefreshToken),
        ),
        ("a refresh token that is emptied", |f, text| f.put(text, "r0", ""), Refused::PlainSecret),
        (
            "a field of an unknown section",
            |_, text| text.replacen("\"o0\":{", "\"o0\":{\"x\":1,", 1),
            Refused::ChangedDocument,
        ),
        (
            "white space in a refresh token",
            |_, text| text.replacen("\"r0\":{", "\"r0\": {", 1),
            Refused::ChangedEntry(Kind::RefreshToken),
        ),
        ("white space in an account", |_, text| text.replacen("\"u0\":{", "\"u0\": {", 1), Refused::ChangedAccounts),
        (
            "white space between sections",
            |_, text| text.replacen(",\"IdToken\"", ", \"IdToken\"", 1),
            Refused::ChangedDocument,
        ),
        ("white space behind", |_, text| format!("{text}\n"), Refused::ChangedDocument),
        (
            "sections in another order",
            |_, text| {
                let (start, end) = (text.find("\"IdToken\"").unwrap(), text.find("\"Account\"").unwrap());
                let end_of_accounts = text.find(",\"Other\"").unwrap();
                format!(
                    "{}{},{}{}",
                    &text[..start],
                    &text[end..end_of_accounts],
                    &text[start..end - 1],
                    &text[end_of_accounts..]
                )
            },
            Refused::ChangedDocument,
        ),
        (
            "refresh tokens in another order",
            |_, text| {
                let (start, end) = (text.find("\"r0\":").unwrap(), text.find("\"r1\":").unwrap());
                let behind = text.find("\"r-family\"").unwrap();
                format!("{}{}{}{}", &text[..start], &text[end..behind], &text[start..end], &text[behind..])
            },
            Refused::RemovedRefreshToken,
        ),
        ("no JSON", |_, text| text.replacen('{', "", 1), Refused::NotAnObject),
        ("an array", |_, _| "[]".into(), Refused::NotAnObject),
        ("no document", |_, _| " ".into(), Refused::NotAnObject),
        ("nothing", |_, _| String::new(), Refused::NotAnObject),
        (
            "more than fits",
            |_, text| format!("{text}{}", " ".repeat(1 << 16)),
            Refused::TooLarge { size: 0, largest: 1 << 16 },
        ),
    ];
    let mut wrong = Vec::new();
    for (what, change, expected) in rows {
        let fixture = Fixture::new(Credential::default());
        let new = change(&fixture, &fixture.text);
        assert_ne!(new, fixture.text, "{what}");
        let refused = match fixture.session.open_document(NAME, "1", new.as_bytes()).unwrap_err() {
            Refused::TooLarge { largest, .. } => Refused::TooLarge { size: 0, largest },
            other => other,
        };
        if refused != expected {
            wrong.push(format!("{what}: {refused:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The text with a member at the end of the root.
fn behind(text: &str, member: &str) -> String {
    format!("{},{member}}}", text.strip_suffix('}').unwrap())
}

#[test]
fn access_and_id_tokens_may_go_and_nothing_else() {
    let fixture = Fixture::new(Credential::default());
    let start = fixture.text.find("\"AccessToken\":{").unwrap() + "\"AccessToken\":{".len();
    let end = start + fixture.text[start..].find("}}").unwrap() + 1;
    let text = format!("{}{}", &fixture.text[..start], &fixture.text[end..]);
    let open = fixture.session.open_document(NAME, "1", text.as_bytes()).unwrap();
    let content = String::from_utf8(open.content().to_vec()).unwrap();
    let plain_end = fixture.plain[start..].find("}}").unwrap() + start + 1;
    assert_eq!(content, format!("{}{}", &fixture.plain[..start], &fixture.plain[plain_end..]));
}

#[test]
fn a_call_writes_only_when_it_redeemed_a_refresh_token_and_then_once() {
    let mut fixture = Fixture::new(Credential::default());
    assert_eq!(fixture.session.try_to_write(), Err(Refused::NothingRedeemed));
    let redemption = fixture.open_form("r0").unwrap().redemption;
    fixture.session.seal_reply(redemption, b"{\"error\":\"invalid_grant\"}".to_vec(), NOW);
    assert_eq!(fixture.session.try_to_write(), Ok(()));
    let open = fixture.session.open_document(NAME, "1", fixture.text.as_bytes()).unwrap();
    fixture.session.replaced(open, "2");
    assert_eq!(fixture.session.try_to_write(), Err(Refused::TooManyWrites));
    fixture.session.end();
    assert_eq!(fixture.session.try_to_write(), Err(Refused::NothingRedeemed));
}

#[test]
fn a_call_that_never_succeeds_in_writing_is_stopped() {
    let mut fixture = Fixture::new(Credential::default());
    let redemption = fixture.open_form("r0").unwrap().redemption;
    fixture.session.seal_reply(redemption, b"{}".to_vec(), NOW);
    let tries = (0..1000).take_while(|_| fixture.session.try_to_write().is_ok()).count();
    assert!((16..100).contains(&tries), "{tries}");
}

#[test]
fn a_document_is_opened_for_the_version_that_was_read() {
    let fixture = Fixture::new(Credential::default());
    let text = fixture.text.as_bytes();
    assert_eq!(fixture.session.open_document(NAME, "2", text).unwrap_err(), Refused::StaleDocument);
    assert_eq!(fixture.session.open_document("msal.cache.cae", "1", text).unwrap_err(), Refused::StaleDocument);

    let mut session = fixture.session.clone();
    let sealed =
        session.vault().clone().seal_document("msal.cache.cae", "1", b"{\"RefreshToken\":{}}".to_vec()).unwrap();
    session.hold(sealed);
    let moved = format!("{{\"RefreshToken\":{{\"r0\":{{\"secret\":\"{}\"}}}}}}", fixture.handle("r0"));
    assert_eq!(
        session.open_document("msal.cache.cae", "1", moved.as_bytes()).unwrap_err(),
        Refused::ChangedEntry(Kind::RefreshToken)
    );

    let sealed = session.vault().clone().seal_document(NAME, "3", b"{\"secret\":\"hunter2\"".to_vec()).unwrap();
    session.hold(sealed);
    assert_eq!(session.open_document(NAME, "3", b"{}").unwrap_err(), Refused::DamagedDocument);
}

#[test]
fn a_document_without_anything_is_one() {
    for empty in ["", "\u{feff}", "{}"] {
        let mut session = Fixture::new(Credential::default()).session;
        let sealed = session.vault().seal_document(NAME, "2", empty.as_bytes().to_vec()).unwrap();
        let text = session.hold(sealed);
        assert_eq!(session.open_document(NAME, "2", &text).unwrap().content(), empty.as_bytes());
    }
}

#[test]
fn sessions_of_a_vault_read_the_same_handles_and_open_their_own() {
    let fixture = Fixture::new(Credential::default());
    let mut sibling = fixture.session.vault().session();
    let text = fixture.text.as_bytes();
    assert_eq!(sibling.open_document(NAME, "1", text).unwrap_err(), Refused::StaleDocument);
    let sealed = sibling.vault().seal_document(NAME, "1", fixture.plain.clone().into_bytes()).unwrap();
    assert_eq!(sibling.hold(sealed), text);
    assert!(sibling.open_document(NAME, "1", text).is_ok());
    // The other one goes on when this one is closed.
    sibling.forget();
    assert_eq!(sibling.open_document(NAME, "1", text).unwrap_err(), Refused::StaleDocument);
    assert!(fixture.session.open_document(NAME, "1", text).is_ok());
}
