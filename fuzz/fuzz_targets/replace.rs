//! Any edit of a document with handles by a component: the stored document is the old one with
//! changes from a closed list.
//!
//! The input is the component's document, as edits of the sealed text: each line is a place in per
//! mille, or in bytes after a `+`, the number of removed bytes, and the inserted text. In it `@0`,
//! `@1` and so on are the component's handles, first those of the reply.

//!
//! Each stored document is also written to the folder that `WRITTEN_DOCUMENTS` names, if it is set,
//! so that MSAL can load all of them.

#![no_main]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use libfuzzer_sys::fuzz_target;
use shared_token_cache_fuzz::{Members, NAME, SCOPE, entries, members, redeem, session, text};
use shared_token_cache_vault::Request;

const DOCUMENT: &str = r#"{"AccessToken":{"a":{"secret":"hunter2-0","home_account_id":"u.t","environment":"login.windows.net","target":"s","expires_on":"9"}},
"RefreshToken":{"r":{"home_account_id":"u.t","environment":"login.windows.net","client_id":"04b07795-8ddb-461a-bbee-02f9e1bf7b46","secret":"hunter2-1"},
"q":{"home_account_id":"v.t","environment":"login.windows.net","client_id":"c","secret":"hunter2\u002d2"}},
"Account":{"u":{"home_account_id":"u.t","environment":"login.windows.net","username":"user0@contoso.com"}},
"IdToken":{"i":{"secret":"hunter2-3","home_account_id":"u.t","environment":"e"}},
"Other":{"o":{"secret":"hunter2-4","deep":[{"secret":{"x":"hunter2-5"}}]}},"secret":"hunter2-6\ud800"}"#;
const REPLY: &str = r#"{"access_token":"hunter2-at","refresh_token":"hunter2-rt","id_token":"hunter2-id","expires_in":3600,"foci":"1"}"#;
const WRITTEN: [&str; 4] = ["AccessToken", "RefreshToken", "IdToken", "AppMetadata"];

fuzz_target!(|input: &str| {
    // The component does not see the secrets, so the input must not contain them either.
    if input.contains("hunter2") {
        return;
    }
    let mut session = session();
    session.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() }).unwrap();
    let vault = session.vault().clone();
    let sealed = session.hold(vault.seal_document(NAME, "1", DOCUMENT.as_bytes().to_vec()).unwrap()).unwrap();
    let reply = redeem(&mut session, &sealed, 200, REPLY);
    let handles: Vec<&str> = [&reply, &sealed].into_iter().flat_map(|text| handles(text)).collect();
    let input = handles
        .iter()
        .enumerate()
        .rev()
        .fold(input.to_owned(), |text, (number, handle)| text.replace(&format!("@{number}"), handle));
    for written in [input.clone(), edited(&sealed, &input)] {
        let Ok(open) = session.open_document(NAME, "1", &written) else { continue };
        check(std::str::from_utf8(open.content()).unwrap());
        keep(open.content());
    }
});

fn keep(stored: &[u8]) {
    let Some(folder) = std::env::var_os("WRITTEN_DOCUMENTS") else { return };
    let mut hasher = DefaultHasher::new();
    stored.hash(&mut hasher);
    let name = format!("{:016x}.json", hasher.finish());
    std::fs::write(std::path::Path::new(&folder).join(name), stored).unwrap();
}

fn handles(text: &str) -> Vec<&str> {
    text.match_indices("sealed-").filter_map(|(at, _)| text.get(at..at + 31)).collect()
}

/// Applies the edits of the input.
fn edited(sealed: &str, input: &str) -> String {
    let mut text = sealed.to_owned();
    for line in input.lines().take(8) {
        let mut words = line.splitn(3, ' ');
        let place = words.next().unwrap_or_default();
        let start = match place.strip_prefix('+') {
            Some(bytes) => bytes.parse::<usize>().map(|bytes| bytes.min(text.len())),
            None => place.parse::<usize>().map(|mille| text.len() * mille.min(1000) / 1000),
        };
        let (Ok(start), Some(Ok(length))) = (start, words.next().map(str::parse::<usize>)) else { continue };
        let end = (start + length.min(64)).min(text.len());
        if text.is_char_boundary(start) && text.is_char_boundary(end) {
            text.replace_range(start..end, words.next().unwrap_or_default());
        }
    }
    text
}

/// The differences between the stored and the old document are those of a redemption.
fn check(stored: &str) {
    assert!(stored.len() < DOCUMENT.len() + (64 << 10), "no growth beyond new entries");
    let others = |document| -> Members {
        members(document).unwrap().into_iter().filter(|(name, _)| !WRITTEN.contains(&&**name)).collect()
    };
    assert_eq!(others(DOCUMENT), others(stored));
    assert_unique(&members(stored).unwrap());
    for section in WRITTEN {
        let (old, new) = (entries(DOCUMENT, section), entries(stored, section));
        assert_unique(&new);
        for (key, entry) in &new {
            if old.iter().any(|(other, before)| other == key && before == entry) {
                continue;
            }
            let fields = members(entry).unwrap();
            assert_unique(&fields);
            assert!(fields.iter().all(|(_, value)| value.starts_with('"')), "{entry}");
            let secret = text(entry, "secret");
            let expected = match section {
                "AccessToken" => Some("hunter2-at"),
                "IdToken" => Some("hunter2-id"),
                "RefreshToken" => Some("hunter2-rt"),
                _ => None,
            };
            assert_eq!(secret.as_deref(), expected, "{section}: {entry}");
            assert!(section != "RefreshToken" || key == "r", "{key}");
        }
        let kept = |(key, _): &&(String, String)| new.iter().any(|(other, _)| other == key);
        let gone = old.iter().filter(|entry| !kept(entry));
        for (key, _) in gone {
            assert_eq!((section, key.as_str()), ("AccessToken", "a"), "it has expired, and nothing else has");
        }
    }
}

fn assert_unique(members: &Members) {
    let mut names: Vec<String> = members.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}
