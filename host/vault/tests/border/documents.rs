//! What may be stored.

use shared_token_cache_vault::{Credential, Kind, Refused};

use crate::cache::{Fixture, NAME, SCOPE};

#[test]
fn a_replaced_document_has_each_secret_in_its_place() {
    let unknown = |kind| Refused::UnknownHandle(kind);
    type Change = fn(&Fixture, &str) -> String;
    let rows: Vec<(&str, Change, Refused)> = vec![
        ("two refresh tokens swapped", |f, text| f.swap(text, "r0", "r1"), Refused::WrongEntry(Kind::RefreshToken)),
        ("two access tokens swapped", |f, text| f.swap(text, "a0", "a1"), Refused::WrongEntry(Kind::AccessToken)),
        ("another kind", |f, text| f.put(text, "a0", &f.handle("r0")), Refused::WrongKind(Kind::RefreshToken)),
        (
            "an unknown secret as a token",
            |f, text| f.put(text, "a0", &f.handle("o0")),
            Refused::WrongEntry(Kind::Opaque),
        ),
        (
            "a token as an unknown secret",
            |f, text| f.put(text, "o0", &f.handle("r0")),
            Refused::WrongKind(Kind::RefreshToken),
        ),
        ("two unknown secrets swapped", |f, text| f.swap(text, "o0", "o1"), Refused::WrongEntry(Kind::Opaque)),
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
            Refused::HandleElsewhere,
        ),
        (
            "an escaped handle in a new field",
            |f, text| {
                let handle = f.handle("r0").replacen('s', "\\u0073", 1);
                text.replacen("\"username\"", &format!("\"note\":\"{handle}\",\"username\""), 1)
            },
            Refused::HandleElsewhere,
        ),
        (
            "a token as a key",
            |f, text| text.replacen("\"username\"", &format!("\"{}\":1,\"username\"", f.handle("r0")), 1),
            Refused::HandleElsewhere,
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
            Refused::WrongEntry(Kind::RefreshToken),
        ),
        (
            "a wider target",
            |_, text| text.replacen(SCOPE, "https://graph.contoso.com/.default", 1),
            Refused::ChangedEntry(Kind::AccessToken),
        ),
        (
            "a longer life",
            |_, text| text.replacen("\"1700003600\"", "\"1900000000\"", 1),
            Refused::ChangedEntry(Kind::AccessToken),
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
            Refused::ChangedAccounts,
        ),
        ("no JSON", |_, text| text.replacen('{', "", 1), Refused::NotAnObject),
        ("an array", |_, _| "[]".into(), Refused::NotAnObject),
        ("no document", |_, _| " ".into(), Refused::NotAnObject),
        ("nothing", |_, _| String::new(), Refused::ChangedAccounts),
        (
            "more than fits",
            |_, text| format!("{text}{}", " ".repeat(1 << 16)),
            Refused::TooLarge { size: 0, largest: 1 << 16 },
        ),
    ];
    for (what, change, expected) in rows {
        let fixture = Fixture::new(Credential::default());
        let new = change(&fixture, &fixture.text);
        assert_ne!(new, fixture.text, "{what}");
        let refused = match fixture.session.open_document(NAME, "1", new.as_bytes()).unwrap_err() {
            Refused::TooLarge { largest, .. } => Refused::TooLarge { size: 0, largest },
            other => other,
        };
        assert_eq!(refused, expected, "{what}");
    }
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
        Refused::WrongEntry(Kind::RefreshToken)
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
