//! The tokens of replies in the document: which entries they may change, and which changes wait for a write.

use shared_token_cache_vault::{Credential, Kind, Origin, Refused, Request};

use crate::cache::{Fixture, NAME, NOW, SCOPE};
use crate::replies::{BODY, answer, changed_entry, entry, id_entry, with_entry};

#[test]
fn new_tokens_are_written_into_the_entries_that_they_are_about() {
    let access = Kind::AccessToken;
    let refresh = Kind::RefreshToken;
    type Change = fn(&Fixture, &str, &[String]) -> String;
    let rows: Vec<(&str, Change, Result<&str, Refused>)> = vec![
        ("an access token", |_, text, new| with_entry(text, "AccessToken", &entry(&new[0])), Ok("\"at-new\"")),
        ("a rotation", |f, text, new| f.put(text, "r0", &new[1]), Ok("\"rt-new\"")),
        ("an id token", |_, text, new| with_entry(text, "IdToken", &id_entry(&new[2])), Ok("\"idt-new\"")),
        (
            "a removal of what was redeemed and lives on",
            |_, text, _| without(text, "\"r0\":", "\"r1\":"),
            Err(Refused::RemovedRefreshToken),
        ),
        (
            "a removal of what was not",
            |_, text, _| without(text, "\"r1\":", "\"r-family\""),
            Err(Refused::RemovedRefreshToken),
        ),
        (
            "an access token of longer life",
            |_, text, new| with_entry(text, "AccessToken", &changed_entry(&new[0], &[("expires_on", "1700003601")])),
            Err(Refused::ChangedEntry(access)),
        ),
        (
            "an access token for more",
            |_, text, new| {
                with_entry(text, "AccessToken", &changed_entry(&new[0], &[("target", &format!("{SCOPE} x"))]))
            },
            Err(Refused::ChangedEntry(access)),
        ),
        (
            "an access token of another account",
            |_, text, new| {
                with_entry(text, "AccessToken", &changed_entry(&new[0], &[("home_account_id", "uid-1.utid-1")]))
            },
            Err(Refused::WrongEntry(access)),
        ),
        (
            "an access token of another client",
            |_, text, new| with_entry(text, "AccessToken", &changed_entry(&new[0], &[("client_id", "other")])),
            Err(Refused::WrongEntry(access)),
        ),
        (
            "an access token of another tenant",
            |_, text, new| with_entry(text, "AccessToken", &changed_entry(&new[0], &[("realm", "utid-1")])),
            Err(Refused::WrongEntry(access)),
        ),
        (
            "an access token of another cloud",
            |_, text, new| {
                with_entry(text, "AccessToken", &changed_entry(&new[0], &[("environment", "login.microsoftonline.us")]))
            },
            Err(Refused::WrongEntry(access)),
        ),
        (
            "an access token twice",
            |_, text, new| {
                let twice = entry(&new[0]) + "," + &changed_entry(&new[0], &[("environment", "login.windows.net")]);
                with_entry(text, "AccessToken", &twice)
            },
            Err(Refused::WrongEntry(access)),
        ),
        (
            "an access token as a refresh token",
            |f, text, new| f.put(text, "r0", &new[0]),
            Err(Refused::WrongKind(access)),
        ),
        (
            "an access token in an unknown section",
            |f, text, new| f.put(text, "o0", &new[0]),
            Err(Refused::ChangedElsewhere("another section")),
        ),
        (
            "a refresh token in another entry",
            |f, text, new| f.put(text, "r1", &new[1]),
            Err(Refused::WrongEntry(refresh)),
        ),
        (
            "a rotation under another key",
            |f, text, new| f.put(text, "r0", &new[1]).replacen("\"r0\":", "\"R0\":", 1),
            Err(Refused::NewEntry { section: "RefreshToken", why: "can only be made by a sign-in" }),
        ),
        (
            "a refresh token in a new entry",
            |_, text, new| with_entry(text, "RefreshToken", &entry(&new[1])),
            Err(Refused::NewEntry { section: "RefreshToken", why: "can only be made by a sign-in" }),
        ),
        (
            "a refresh token that joins a family",
            |f, text, new| {
                let text = f.put(text, "r0", &new[1]);
                text.replacen(&new[1], &format!("{}\",\"family_id\":\"1", new[1]), 1)
            },
            Err(Refused::ChangedEntry(refresh)),
        ),
        (
            "a refresh token in a field",
            |_, text, new| text.replacen("\"Other\"", &format!("\"x\":\"{}\",\"Other\"", new[1]), 1),
            Err(Refused::ChangedElsewhere("another section")),
        ),
    ];
    for (what, change, expected) in rows {
        let mut fixture = Fixture::new(Credential::default());
        let (_, new) = answer(&mut fixture, BODY);
        let text = change(&fixture, &fixture.text, &new);
        let opened = fixture.session.open_document(NAME, "1", &text);
        match (opened, expected) {
            (Ok(open), Ok(part)) => {
                let content = String::from_utf8(open.content().to_vec()).unwrap();
                assert!(content.contains(part) && !content.contains("sealed-"), "{what}: {content}");
            }
            (opened, expected) => assert_eq!(opened.err(), expected.err(), "{what}"),
        }
    }
}

/// The text without the part between these two.
fn without(text: &str, from: &str, to: &str) -> String {
    let (start, end) = (text.find(from).unwrap(), text.find(to).unwrap());
    format!("{}{}", &text[..start], &text[end..])
}

#[test]
fn a_refresh_token_that_the_authority_gave_back_has_a_new_time_and_no_other() {
    let dated = |fixture: &Fixture, name: &str, time: &str| {
        let secret = format!("\"secret\":\"{}\"", fixture.handle(name));
        fixture.text.replacen(&secret, &format!("{secret},\"last_modification_time\":\"{time}\""), 1)
    };
    let again = r#"{"access_token":"at-new","expires_in":9,"refresh_token":"rt-0"}"#;
    let of_another = again.replace('}', ",\"client_info\":\"eyJ1aWQiOiJ1aWQtMSIsInV0aWQiOiJ1dGlkLTEifQ\"}");
    let another_s = again.replace("rt-0", "rt-1");
    for (body, name, time, allowed) in [
        (again, "r0", NOW.to_string(), true),
        (again, "r0", (NOW + 1_000_000).to_string(), false),
        (again, "r0", "soon".into(), false),
        (again, "r1", NOW.to_string(), false),
        (&of_another, "r0", NOW.to_string(), false),
        // The redeemed token differs from the one of the reply.
        (&another_s, "r0", NOW.to_string(), false),
        (&another_s, "r1", NOW.to_string(), false),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        answer(&mut fixture, body);
        let opened = fixture.session.open_document(NAME, "1", &dated(&fixture, name, &time));
        assert_eq!(opened.is_ok(), allowed, "{body} {name} {time}: {:?}", opened.err());
    }
}

#[test]
fn answers_outlive_writes_that_fail_and_rotations_add_up() {
    let mut fixture = Fixture::new(Credential::default());
    let (_, first) = answer(&mut fixture, BODY);
    let bought = fixture.session.open_result(&first[0], NOW).unwrap();
    let shown = (bought.home_account_id.as_str(), bought.tenant.as_str(), bought.origin);
    assert_eq!(shown, ("uid-0.utid-0", "utid-0", Origin::Refreshed));
    // The write failed, so the component keeps the new tokens in its memory.
    let scopes = [SCOPE.to_owned()];
    let request = Request { scopes: &scopes, ..Request::default() };
    fixture.session.begin(&request).unwrap();
    assert_eq!(fixture.session.open_result(&first[0], NOW).map(|token| token.origin), Err(Refused::OutOfDate));
    fixture.session.unchanged(NAME, "1");
    assert_eq!(fixture.session.open_result(&first[0], NOW).map(|token| token.origin), Ok(Origin::Cached));
    let redemption = fixture.open_form(&first[1]).unwrap().redemption;
    let sealed = fixture.session.seal_reply(redemption, 200, br#"{"refresh_token":"rt-newer"}"#.to_vec(), NOW);
    let second = sealed.split('"').nth(3).unwrap().to_owned();

    let text = with_entry(&fixture.put(&fixture.text, "r0", &second), "AccessToken", &entry(&first[0]));
    let open = fixture.session.open_document(NAME, "1", &text).unwrap();
    assert!(String::from_utf8_lossy(open.content()).contains("rt-newer"));
    fixture.session.replaced(open, "2");

    // After the call the tokens of the first rotation are dropped.
    fixture.session.begin(&request).unwrap();
    assert_eq!(fixture.open_form(&first[1]).unwrap_err(), Refused::NotARefreshToken);
    assert_eq!(fixture.open_form("r0").unwrap_err(), Refused::NotARefreshToken);
    assert!(fixture.open_form(&second).is_ok());
    for (name, version) in [(NAME, "1"), (NAME, "3"), ("msal.cache.cae", "2")] {
        fixture.session.unchanged(name, version);
        assert_eq!(fixture.session.open_result(&first[0], NOW), Err(Refused::OutOfDate), "{name} {version}");
    }
    fixture.session.unchanged(NAME, "2");
    assert!(fixture.session.open_result(&first[0], NOW).is_ok());
    assert_eq!(fixture.session.open_document(NAME, "1", &text).unwrap_err(), Refused::StaleDocument);
    assert_eq!(fixture.session.open_document(NAME, "2", &text).unwrap_err(), Refused::NothingRedeemed);
}

#[test]
fn a_conflict_does_not_cost_the_answer() {
    let mut fixture = Fixture::new(Credential::default());
    let (_, new) = answer(&mut fixture, BODY);
    let newer = fixture.plain.replacen("rt-1", "rt-1-rotated", 1);
    let sealed = fixture.session.vault().seal_document(NAME, "2", newer.into_bytes()).unwrap();
    let text = fixture.session.hold(sealed).unwrap();
    let text = with_entry(&fixture.put(&text, "r0", &new[1]), "AccessToken", &entry(&new[0]));
    assert!(fixture.session.open_document(NAME, "2", &text).is_ok());
    // During the call the version that was read first is still valid, afterwards it is not.
    assert!(fixture.session.open_document(NAME, "1", &fixture.text).is_ok());
    fixture.session.end();
    assert_eq!(fixture.session.open_document(NAME, "1", &fixture.text).unwrap_err(), Refused::StaleDocument);
    let refused = fixture.session.open_document(NAME, "2", &text).unwrap_err();
    assert_eq!(refused, Refused::NothingRedeemed, "the call is over");
}

/// Holds the fixture's document with a change, as its second version; returns the sealed text.
fn changed(fixture: &mut Fixture, from: &str, to: &str) -> String {
    let plain = fixture.plain.replacen(from, to, 1);
    assert_ne!(plain, fixture.plain, "{from}");
    let sealed = fixture.session.vault().seal_document(NAME, "2", plain.into_bytes()).unwrap();
    fixture.session.hold(sealed).unwrap()
}

#[test]
fn a_rotation_ends_in_the_entry_that_was_redeemed_and_in_none_like_it() {
    let wrong = Refused::WrongEntry(Kind::RefreshToken);
    // Another refresh token of the same account and client.
    let mut fixture = Fixture::new(Credential::default());
    let text = changed(
        &mut fixture,
        "\"r1\":{\"home_account_id\":\"uid-1.utid-1\"",
        "\"r1\":{\"home_account_id\":\"uid-0.utid-0\"",
    );
    let (_, new) = answer(&mut fixture, BODY);
    let open = |fixture: &Fixture, text: String| fixture.session.open_document(NAME, "2", &text).map(drop);
    assert_eq!(open(&fixture, fixture.put(&text, "r1", &new[1])), Err(wrong.clone()));
    assert_eq!(open(&fixture, fixture.put(&text, "r0", &new[1])), Ok(()));
    // The same refresh token in the entry of another client.
    let mut fixture = Fixture::new(Credential::default());
    let text = changed(&mut fixture, "\"rt-other\"", "\"rt-0\"");
    let (_, new) = answer(&mut fixture, BODY);
    let (before, behind) = text.split_once("\"r-other\":").unwrap();
    let other = format!("{before}\"r-other\":{}", fixture.put(behind, "r0", &new[1]));
    assert_eq!(open(&fixture, other), Err(wrong));
    assert_eq!(open(&fixture, fixture.put(&text, "r0", &new[1])), Ok(()));
}

#[test]
fn any_number_of_rotations_may_wait_for_their_first_write() {
    let mut fixture = Fixture::new(Credential::default());
    let mut newest = fixture.handle("r0");
    for number in 1..=5 {
        let redemption = fixture.open_form(&newest).unwrap().redemption;
        let body = format!("{{\"refresh_token\":\"rt-0-{number}\"}}");
        let sealed = fixture.session.seal_reply(redemption, 200, body.into_bytes(), NOW);
        newest = sealed.split('"').nth(3).unwrap().to_owned();
        let text = fixture.put(&fixture.text, "r0", &newest);
        let open = fixture.session.open_document(NAME, "1", &text).unwrap();
        assert!(String::from_utf8_lossy(open.content()).contains(&format!("\"rt-0-{number}\"")));
        let elsewhere = fixture.put(&fixture.text, "r1", &newest);
        let refused = fixture.session.open_document(NAME, "1", &elsewhere).unwrap_err();
        assert_eq!(refused, Refused::WrongEntry(Kind::RefreshToken));
    }
}

#[test]
fn a_dead_refresh_token_in_an_ambiguous_entry_stays() {
    let mut fixture = Fixture::new(Credential::default());
    let (from, to) = ("\"client\",\"secret\":\"rt-1\"", "\"client\",\"client_id\":\"client\",\"secret\":\"rt-0\"");
    let text = changed(&mut fixture, from, to);
    fixture.redeem(400, r#"{"error":"invalid_grant","suberror":"bad_token"}"#);
    let open = |text: String| fixture.session.open_document(NAME, "2", &text).map(drop);
    assert_eq!(open(fixture.less(&text, "r0", "r1")), Ok(()));
    assert_eq!(open(fixture.less(&text, "r1", "r-family")), Err(Refused::RemovedRefreshToken));
}

#[test]
fn a_new_entry_is_as_large_as_any_entry_and_no_larger() {
    for (size, expected) in [
        (16 << 10, Ok(())),
        ((16 << 10) + 1, Err(Refused::NewEntry { section: "AccessToken", why: "is larger than any entry has to be" })),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        let (_, new) = answer(&mut fixture, BODY);
        let entry = entry(&new[0]);
        let entry = entry.replacen(":{", &format!(":{{{}", " ".repeat(size - entry.len())), 1);
        assert_eq!(entry.len(), size);
        let text = with_entry(&fixture.text, "AccessToken", &entry);
        let opened = fixture.session.open_document(NAME, "1", &text).map(drop);
        assert_eq!(opened, expected, "{size}");
    }
}

#[test]
fn a_new_token_takes_the_place_of_one_whose_key_has_capitals() {
    let mut fixture = Fixture::new(Credential::default());
    let key =
        "\"UID-0.utid-0-login.microsoftonline.com-AccessToken-client-organizations-https://vault.azure.net/.default\":";
    let text = changed(&mut fixture, "\"a0\":", key);
    let (_, new) = answer(&mut fixture, BODY);
    let (start, end) = (text.find(key).unwrap(), text.find("\"a1\":").unwrap());
    let text = format!("{}{},{}", &text[..start], entry(&new[0]), &text[end..]);
    let open = fixture.session.open_document(NAME, "2", &text).unwrap();
    let content = String::from_utf8_lossy(open.content()).into_owned();
    assert!(content.contains("\"at-new\"") && !content.contains("\"at-0\""), "{content}");
}

#[test]
fn the_tokens_of_a_reply_are_written_into_an_empty_cache() {
    for (empty, mark) in [("", ""), ("\u{feff}", "\u{feff}"), ("{}", ""), ("{\"AccessToken\":null}", "")] {
        let mut fixture = Fixture::new(Credential::default());
        let (_, new) = answer(&mut fixture, BODY);
        let sealed = fixture.session.vault().seal_document(NAME, "2", empty.as_bytes().to_vec()).unwrap();
        fixture.session.hold(sealed).unwrap();
        let text = format!("{mark}{{\"AccessToken\":{{{}}}}}", entry(&new[0]));
        let open = fixture.session.open_document(NAME, "2", &text).unwrap();
        let written = format!("{mark}{{\"AccessToken\":{{{}}}}}", entry("at-new"));
        assert_eq!(String::from_utf8_lossy(open.content()), written, "{empty:?}");
        // No reply could justify another section.
        let more = format!("{mark}{{\"AccessToken\":{{{}}},\"Account\":{{}}}}", entry(&new[0]));
        assert_eq!(fixture.session.open_document(NAME, "2", &more).unwrap_err(), Refused::ChangedAccounts, "{empty:?}");
    }
}
