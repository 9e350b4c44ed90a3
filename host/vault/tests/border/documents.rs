//! Documents that may be stored.

use shared_token_cache_vault::{Credential, Kind, Refused};

use crate::cache::{Fixture, NAME, SCOPE};

#[test]
fn a_replaced_document_has_each_secret_in_its_place() {
    let unknown = |kind| Refused::UnknownHandle(kind);
    let elsewhere = Refused::ChangedElsewhere;
    let sign_in = || Refused::NewEntry { section: "RefreshToken", why: "can only be made by a sign-in" };
    type Change = fn(&Fixture, &str) -> String;
    let rows: Vec<(&str, Change, Refused)> = vec![
        ("two refresh tokens swapped", |f, text| f.swap(text, "r0", "r1"), Refused::WrongEntry(Kind::RefreshToken)),
        ("two access tokens swapped", |f, text| f.swap(text, "a0", "a1"), Refused::WrongEntry(Kind::AccessToken)),
        ("another kind", |f, text| f.put(text, "a0", &f.handle("r0")), Refused::WrongKind(Kind::RefreshToken)),
        (
            "an unknown secret as a token",
            |f, text| f.put(text, "a0", &f.handle("o0")),
            Refused::WrongKind(Kind::Opaque),
        ),
        ("a token as an unknown secret", |f, text| f.put(text, "o0", &f.handle("r0")), elsewhere("another section")),
        ("two unknown secrets swapped", |f, text| f.swap(text, "o0", "o1"), elsewhere("another section")),
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
            sign_in(),
        ),
        (
            "a wider target",
            |_, text| text.replacen(SCOPE, "https://graph.contoso.com/.default", 1),
            Refused::WrongEntry(Kind::AccessToken),
        ),
        (
            "a longer life",
            |_, text| text.replacen("\"1700003600\"", "\"1900000000\"", 1),
            Refused::WrongEntry(Kind::AccessToken),
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
            Refused::RepeatedMember,
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
            elsewhere("its sections"),
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
    for (what, change, expected) in rows {
        let fixture = Fixture::new(Credential::default()).refused();
        let new = change(&fixture, &fixture.text);
        assert_ne!(new, fixture.text, "{what}");
        let refused = match fixture.session.open_document(NAME, "1", &new).unwrap_err() {
            Refused::TooLarge { largest, .. } => Refused::TooLarge { size: 0, largest },
            other => other,
        };
        assert_eq!(refused, expected, "{what}");
    }
}

#[test]
fn a_document_is_opened_for_the_version_that_was_read() {
    let fixture = Fixture::new(Credential::default()).refused();
    let text = fixture.text.as_str();
    assert_eq!(fixture.session.open_document(NAME, "2", text).unwrap_err(), Refused::StaleDocument);
    assert_eq!(fixture.session.open_document("msal.cache.cae", "1", text).unwrap_err(), Refused::StaleDocument);

    let mut session = fixture.session.clone();
    let sealed =
        session.vault().clone().seal_document("msal.cache.cae", "1", b"{\"RefreshToken\":{}}".to_vec()).unwrap();
    session.hold(sealed).unwrap();
    let moved = format!("{{\"RefreshToken\":{{\"r0\":{{\"secret\":\"{}\"}}}}}}", fixture.handle("r0"));
    assert_eq!(
        session.open_document("msal.cache.cae", "1", &moved).unwrap_err(),
        Refused::NewEntry { section: "RefreshToken", why: "can only be made by a sign-in" }
    );

    let sealed = session.vault().clone().seal_document(NAME, "3", b"{\"secret\":\"hunter2\"".to_vec()).unwrap();
    session.hold(sealed).unwrap();
    assert_eq!(session.open_document(NAME, "3", "{}").unwrap_err(), Refused::DamagedDocument);
}

#[test]
fn an_empty_document_is_a_document() {
    for empty in ["", "\u{feff}", "{}"] {
        let mut session = Fixture::new(Credential::default()).refused().session;
        let sealed = session.vault().seal_document(NAME, "2", empty.as_bytes().to_vec()).unwrap();
        let text = session.hold(sealed).unwrap();
        assert_eq!(session.open_document(NAME, "2", &text).unwrap().content(), empty.as_bytes());
    }
}

#[test]
fn sessions_of_a_vault_read_the_same_handles_and_open_their_own() {
    let fixture = Fixture::new(Credential::default()).refused();
    let mut sibling = fixture.session.vault().session();
    let text = fixture.text.as_str();
    assert_eq!(sibling.open_document(NAME, "1", text).unwrap_err(), Refused::StaleDocument);
    let sealed = sibling.vault().seal_document(NAME, "1", fixture.plain.clone().into_bytes()).unwrap();
    assert_eq!(sibling.hold(sealed).as_deref(), Ok(text));
    // This session has redeemed no refresh token.
    assert_eq!(sibling.open_document(NAME, "1", text).unwrap_err(), Refused::NothingRedeemed);
    // Closing this session leaves the other one open.
    sibling.forget();
    assert_eq!(sibling.open_document(NAME, "1", text).unwrap_err(), Refused::StaleDocument);
    assert!(fixture.session.open_document(NAME, "1", text).is_ok());
}

#[test]
fn a_change_that_no_token_needs_is_refused_to_the_byte() {
    let elsewhere = Refused::ChangedElsewhere;
    let of = |section, why| Refused::NewEntry { section, why };
    type Change = fn(&Fixture, &str) -> String;
    let rows: Vec<(&str, Change, Refused)> = vec![
        ("an empty section behind", |_, text| at_end(text, ",\"AppMetadata\":{}"), elsewhere("its sections")),
        ("a section twice", |_, text| at_end(text, ",\"RefreshToken\":{}"), Refused::RepeatedMember),
        ("a section twice, in disguise", |_, text| at_end(text, ",\"\\u0052efreshToken\":{}"), Refused::RepeatedMember),
        ("a section nearly twice", |_, text| at_end(text, ",\"refreshtoken\":{}"), Refused::RepeatedMember),
        ("a section that no cache has", |_, text| at_end(text, ",\"Stash\":{\"x\":{}}"), elsewhere("another section")),
        (
            "a section that is a number",
            |_, text| at_end(text, ",\"AppMetadata\":7"),
            elsewhere("the type of a section"),
        ),
        (
            "a section that becomes a number",
            |_, text| becomes(text, "IdToken", "Account", "7"),
            elsewhere("the type of a section"),
        ),
        (
            "a section that becomes nothing",
            |_, text| becomes(text, "RefreshToken", "IdToken", "null"),
            elsewhere("the type of a section"),
        ),
        (
            "an entry that is a number",
            |f, text| f.add(text, "AccessToken", "\"x\":7"),
            of("AccessToken", "is not an object"),
        ),
        ("a refresh token twice", |f, text| f.add(text, "RefreshToken", "\"r0\":{}"), Refused::RepeatedMember),
        ("a refresh token without a secret", |f, text| f.put(text, "r0", ""), Refused::RemovedRefreshToken),
        (
            "a new refresh token without a secret",
            |f, text| f.add(text, "RefreshToken", "\"x\":{\"home_account_id\":\"uid-0.utid-0\",\"family_id\":\"1\"}"),
            of("RefreshToken", "can only be made by a sign-in"),
        ),
        (
            "an access token without a secret",
            |f, text| f.add(text, "AccessToken", "\"x\":{\"secret\":\"\",\"expires_on\":\"4102444800\"}"),
            of("AccessToken", "has no secret"),
        ),
        ("an access token less", |f, text| f.less(text, "a0", "a1"), Refused::RemovedEntry("AccessToken")),
        (
            "an expired access token of another less",
            |f, text| f.less(text, "a1", "a-expired"),
            Refused::RemovedEntry("AccessToken"),
        ),
        ("a byte order mark", |_, text| format!("\u{feff}{text}"), elsewhere("the byte order mark")),
        ("white space before", |_, text| format!(" {text}"), elsewhere("white space")),
        ("white space behind", |_, text| format!("{text}\n"), elsewhere("white space")),
        ("white space in front of a member", |_, text| text.replacen("{\"", "{ \"", 1), elsewhere("its sections")),
        (
            "white space behind a member",
            |_, text| text.replacen("},\"Account", "} ,\"Account", 1),
            elsewhere("white space"),
        ),
        ("white space behind the last member", |_, text| at_end(text, " "), elsewhere("white space")),
        (
            "white space behind an entry",
            |_, text| text.replacen("}},\"RefreshToken", "} },\"RefreshToken", 1),
            elsewhere("white space"),
        ),
        (
            "two sections swapped",
            |_, text| swapped(text, "\"IdToken\":", "\"Account\":", "\"Other\":"),
            elsewhere("its sections"),
        ),
        (
            "two entries swapped",
            |_, text| swapped(text, "\"r0\":", "\"r1\":", "\"r-family\":"),
            of("RefreshToken", "can only be made by a sign-in"),
        ),
        ("another spelling", |_, text| text.replacen("user0", "\\u0075ser0", 1), Refused::ChangedAccounts),
        (
            "an unknown section less",
            |_, text| format!("{}}}", text.split(",\"Other\"").next().unwrap()),
            elsewhere("another section"),
        ),
        (
            "a change in an unknown section",
            |_, text| text.replacen("\"o0\"", "\"o2\"", 1),
            elsewhere("another section"),
        ),
        (
            "a field of a refresh token",
            |_, text| text.replacen("\"family_id\":\"1\"", "\"family_id\":\"2\"", 1),
            Refused::ChangedEntry(Kind::RefreshToken),
        ),
        (
            "more",
            |f, text| f.add(text, "AccessToken", &format!("\"x\":{{\"target\":\"{}\"}}", "x".repeat(17_000))),
            of("AccessToken", "is larger than any entry has to be"),
        ),
        (
            "metadata without a token response",
            |_, text| {
                at_end(
                    text,
                    ",\"AppMetadata\":{\"appmetadata-login.microsoftonline.com-client\":{\"client_id\":\"client\",\"environment\":\"login.microsoftonline.com\",\"family_id\":\"1\"}}",
                )
            },
            of("AppMetadata", "has a value that the authority did not send"),
        ),
    ];
    for (what, change, expected) in rows {
        let fixture = Fixture::new(Credential::default()).refused();
        let new = change(&fixture, &fixture.text);
        assert_ne!(new, fixture.text, "{what}");
        assert_eq!(fixture.session.open_document(NAME, "1", &new).unwrap_err(), expected, "{what}");
    }
}

fn at_end(text: &str, more: &str) -> String {
    format!("{}{more}}}", text.strip_suffix('}').unwrap())
}

/// The text with another value of a section that is not the last.
fn becomes(text: &str, section: &str, next: &str, value: &str) -> String {
    let [start, end] = [section, next].map(|key| text.find(&format!("\"{key}\":")).unwrap());
    format!("{}\"{section}\":{value},{}", &text[..start], &text[end..])
}

/// The text with the parts between `first` and `second`, and between `second` and `end`, swapped.
fn swapped(text: &str, first: &str, second: &str, end: &str) -> String {
    let [first, second, end] = [first, second, end].map(|word| text.find(word).unwrap());
    format!("{}{}{}{}", &text[..first], &text[second..end], &text[first..second], &text[end..])
}

#[test]
fn a_call_writes_once_for_each_answer_and_not_without_one() {
    let refused = r#"{"error":"invalid_grant"}"#;
    for (status, body, writes) in [
        (200, r#"{"access_token":"at-new","expires_in":1}"#, true),
        (400, refused, true),
        (400, "<html>", false),
        (503, refused, false),
        (302, "", false),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        let open = |fixture: &Fixture, version| fixture.session.open_document(NAME, version, &fixture.text);
        assert_eq!(open(&fixture, "1").unwrap_err(), Refused::NothingRedeemed, "{status}");
        fixture.redeem(status, body);
        if !writes {
            assert_eq!(open(&fixture, "1").unwrap_err(), Refused::NothingRedeemed, "{status}");
            continue;
        }
        // A document that was opened but not stored does not count.
        let first = open(&fixture, "1").and_then(|_| open(&fixture, "1")).unwrap();
        fixture.session.replaced(first, "2");
        assert_eq!(open(&fixture, "2").unwrap_err(), Refused::TooManyWrites, "{status}");
        fixture.redeem(status, body);
        assert!(open(&fixture, "2").is_ok(), "{status}");
        fixture.session.end();
        assert_eq!(open(&fixture, "2").unwrap_err(), Refused::NothingRedeemed, "{status}");
    }
}

#[test]
fn a_refresh_token_may_be_removed_when_the_authority_declared_it_dead() {
    let dead = r#"{"error":"invalid_grant","suberror":"bad_token"}"#;
    for (status, body, goes) in [
        (400, dead, true),
        (401, r#"{"error":"invalid_grant","suberror":"token_expired"}"#, true),
        (400, r#"{"error":"interaction_required"}"#, false),
        (400, r#"{"error":"invalid_grant"}"#, false),
        (400, r#"{"error":"invalid_request","suberror":"bad_token"}"#, false),
        (200, r#"{"access_token":"at-new","expires_in":1}"#, false),
        (200, r#"{"access_token":"at-new","refresh_token":"rt-new"}"#, false),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        fixture.redeem(status, body);
        let open = |text: String| {
            fixture
                .session
                .open_document(NAME, "1", &text)
                .map(|open| String::from_utf8(open.content().to_vec()).unwrap())
        };
        let less = fixture.less(&fixture.plain, "r0", "r1");
        let expected = if goes { Ok(less) } else { Err(Refused::RemovedRefreshToken) };
        assert_eq!(open(fixture.less(&fixture.text, "r0", "r1")), expected, "{status} {body}");
        assert_eq!(open(fixture.put(&fixture.text, "r0", "")), Err(Refused::RemovedRefreshToken), "{status} {body}");
        assert_eq!(open(fixture.less(&fixture.text, "r1", "r-family")), Err(Refused::RemovedRefreshToken));
    }
}

#[test]
fn expired_access_tokens_of_the_account_go_with_a_write() {
    let mut fixture = Fixture::new(Credential::default());
    fixture.plain = fixture.plain.replacen("\"1700000000\"", "\"1699999999\"", 1);
    let sealed = fixture.session.vault().seal_document(NAME, "2", fixture.plain.clone().into_bytes()).unwrap();
    fixture.text = fixture.session.hold(sealed).unwrap();
    let fixture = fixture.refused();
    let less = fixture.less(&fixture.text, "a-expired", "a-endless");
    let open = fixture.session.open_document(NAME, "2", &less).unwrap();
    assert_eq!(String::from_utf8_lossy(open.content()), fixture.less(&fixture.plain, "a-expired", "a-endless"));
}

#[test]
fn a_call_that_never_succeeds_in_writing_is_stopped() {
    let mut fixture = Fixture::new(Credential::default()).refused();
    let tries = (0..1000).take_while(|_| fixture.session.try_to_write().is_ok()).count();
    assert!((16..100).contains(&tries), "{tries}");
}

/// A session whose call may write, and that holds this document as its second version.
fn holding(plain: &str) -> (Fixture, String) {
    let mut fixture = Fixture::new(Credential::default()).refused();
    let sealed = fixture.session.vault().seal_document(NAME, "2", plain.as_bytes().to_vec()).unwrap();
    let text = fixture.session.hold(sealed).unwrap();
    (fixture, text)
}

#[test]
fn a_document_may_be_as_large_as_the_vault_allows_and_no_larger() {
    let largest = 1 << 16;
    let of = |size: usize| format!("{{}}{}", " ".repeat(size - 2));
    let (fixture, text) = holding(&of(largest));
    assert_eq!(fixture.session.open_document(NAME, "2", &text).unwrap().content().len(), largest);
    let (fixture, text) = holding(&of(largest + 1));
    let refused = fixture.session.open_document(NAME, "2", &text).unwrap_err();
    assert_eq!(refused, Refused::TooLarge { size: largest + 1, largest });
    // The limit applies to the document with its secrets, not with handles.
    for (secret, fits) in [(largest - 13, true), (largest - 12, false)] {
        let (fixture, text) = holding(&format!("{{\"secret\":\"{}\"}}", "x".repeat(secret)));
        assert!(text.len() < 100);
        let opened = fixture.session.open_document(NAME, "2", &text);
        assert_eq!(opened.is_ok(), fits, "{secret} {:?}", opened.err());
    }
}

#[test]
fn white_space_around_a_document_stays_or_goes() {
    let plain = Fixture::new(Credential::default()).plain;
    let dead = r#"{"error":"invalid_grant","suberror":"bad_token"}"#;
    for (before, behind, fine) in [
        ("\n ", "\t\n", true),
        ("", "\t\n", true),
        ("\n ", "", true),
        ("", "", true),
        ("\n", "\t\n", false),
        ("\n ", "\n", false),
    ] {
        let (mut fixture, _) = holding(&format!("\n {plain}\t\n"));
        fixture.redeem(400, dead);
        let less = fixture.less(&fixture.text, "r0", "r1");
        let opened = fixture.session.open_document(NAME, "2", &format!("{before}{less}{behind}"));
        match opened {
            Ok(open) => {
                let expected = format!("{before}{}{behind}", fixture.less(&plain, "r0", "r1"));
                assert!(fine && String::from_utf8_lossy(open.content()) == expected, "{before:?} {behind:?}");
            }
            Err(refused) => {
                assert!(!fine, "{before:?} {behind:?}");
                assert_eq!(refused, Refused::ChangedElsewhere("white space"));
            }
        }
    }
}

#[test]
fn a_document_with_more_sections_than_any_cache_is_not_replaced_by_another() {
    let sections = "\"\":{},".repeat(1 << 20);
    let (fixture, _) = holding(&format!("{{{sections}\"RefreshToken\":{{}}}}"));
    assert_eq!(fixture.session.open_document(NAME, "2", "{}").unwrap_err(), Refused::NotAnObject);
}
