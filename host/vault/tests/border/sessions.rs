//! Agent sessions: a token with the mark of a session and one without it never pass for each other.

use shared_token_cache_vault::{Credential, Refused};

use crate::cache::{Fixture, NAME, NOW};
use crate::replies::{BODY, answer, entry, with_entry};

/// The session of the entry `a-session`.
const SESSION: &str = "key-1";

fn within(session: Option<&str>) -> Fixture {
    Fixture::new(Credential { agent_session_key: session.map(str::to_owned), ..Credential::default() })
}

#[test]
fn a_token_is_released_in_its_own_session_only() {
    for (session, token, expected) in [
        (None, "a0", Ok("at-0")),
        (None, "a-session", Err(Refused::WrongSession)),
        (Some(SESSION), "a-session", Ok("at-session")),
        (Some(SESSION), "a0", Err(Refused::WrongSession)),
        (Some("key-2"), "a-session", Err(Refused::WrongSession)),
        (Some("KEY-1"), "a-session", Err(Refused::WrongSession)),
        (None, "a-unreadable", Err(Refused::WrongSession)),
        (Some("7"), "a-unreadable", Err(Refused::WrongSession)),
    ] {
        let fixture = within(session);
        let opened = fixture.session.open_result(&fixture.handle(token), NOW);
        let opened = opened.map(|open| open.token.expose().to_owned());
        assert_eq!(opened, expected.map(str::to_owned), "{session:?} {token}");
    }
}

/// A new entry with the extended cache key of a session.
fn marked(handle: &str, session: &str) -> String {
    let entry = entry(handle);
    let (key, fields) = entry.split_once(":{").unwrap();
    let key = key.trim_matches('"').replacen("-accesstoken-", "-atext-", 1);
    format!("\"{key}-{session}\":{{{}", fields.replacen('}', &format!(",\"ext_cache_key\":\"{session}\"}}"), 1))
}

#[test]
fn a_new_token_is_stored_under_the_session_of_its_request_only() {
    let other_key = |entry: &str| entry.replacen("-atext-", "-accesstoken-", 1);
    let misplaced = || Refused::NewEntry { section: "AccessToken", why: "has another key than its fields make" };
    for (session, written, refused) in [
        (None, entry as fn(&str) -> String, None),
        (None, |handle: &str| marked(handle, SESSION), Some(Refused::WrongSession)),
        (Some(SESSION), |handle| marked(handle, SESSION), None),
        (Some(SESSION), entry, Some(Refused::WrongSession)),
        (Some(SESSION), |handle| marked(handle, "key-2"), Some(Refused::WrongSession)),
    ] {
        let mut fixture = within(session);
        let (_, new) = answer(&mut fixture, BODY);
        let text = with_entry(&fixture.text, "AccessToken", &written(&new[0]));
        let opened = fixture.session.open_document(NAME, "1", &text);
        assert_eq!(opened.as_ref().err(), refused.as_ref(), "{session:?} {text}");
        if let Ok(open) = opened {
            assert!(String::from_utf8_lossy(open.content()).contains("\"at-new\""));
        }
    }
    let mut fixture = within(Some(SESSION));
    let (_, new) = answer(&mut fixture, BODY);
    let text = with_entry(&fixture.text, "AccessToken", &other_key(&marked(&new[0], SESSION)));
    assert_eq!(fixture.session.open_document(NAME, "1", &text).err(), Some(misplaced()));
}

#[test]
fn a_stored_token_keeps_its_mark_or_its_lack_of_one() {
    for (session, change) in [
        (Some(SESSION), ("\"a0\":{", "\"a0\":{\"ext_cache_key\":\"key-1\",")),
        (None, ("\"ext_cache_key\":\"key-1\",", "")),
        (Some("key-2"), ("\"ext_cache_key\":\"key-1\"", "\"ext_cache_key\":\"key-2\"")),
    ] {
        let fixture = within(session).refused();
        let text = fixture.text.replacen(change.0, change.1, 1);
        assert_ne!(text, fixture.text, "{change:?}");
        assert!(fixture.session.open_document(NAME, "1", &text).is_err(), "{session:?} {change:?}");
    }
}

#[test]
fn a_token_of_this_call_is_released_in_a_session() {
    let mut fixture = within(Some(SESSION));
    let (_, new) = answer(&mut fixture, BODY);
    assert_eq!(fixture.session.open_result(&new[0], NOW).unwrap().token.expose(), "at-new");
}
