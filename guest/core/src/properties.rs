//! Property tests: statements that hold for every input.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shared_token_cache_entra::Secret;
use shared_token_cache_entra::schema::Section;

use crate::account::{self, Holdings};
use crate::document::{Document, Edit, Object};
use crate::options::{Configuration, Options};
use crate::types::{Authority, HomeAccountId};

/// Any JSON of limited depth.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f32>().prop_filter("JSON has none", |number| number.is_finite()).prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..6)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A field of an entry: mostly a realistic value, sometimes any JSON.
fn any_field() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop::sample::select(vec!["uid-1.utid-1", "uid-2.utid-2", "no-dot", "login.microsoftonline.com",
            "login.windows.net", "utid-1", "organizations", "Bearer", "1", "rt-1", "1700000000", "a b",
            "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "user0@contoso.com", ""]).prop_map(Value::from),
        1 => any_value(),
    ]
}

/// A document in MSAL's shape, with any JSON in any place.
fn any_document() -> impl Strategy<Value = Value> {
    let fields = prop::sample::select(vec![
        "home_account_id",
        "environment",
        "realm",
        "username",
        "client_id",
        "family_id",
        "secret",
        "target",
        "token_type",
        "cached_at",
        "expires_on",
        "refresh_on",
        "last_modification_time",
        "key_id",
        "unknown",
    ]);
    let entry = prop::collection::btree_map(fields, any_field(), 0..15).prop_map(|fields| {
        Value::from(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    });
    let entry = prop_oneof![6 => entry, 1 => any_value()];
    let section = prop::collection::btree_map("[a-z-]{1,12}", entry, 0..6)
        .prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>()));
    let section = prop_oneof![8 => section, 1 => any_value()];
    let names =
        prop::sample::select(vec!["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata", "Unknown"]);
    prop::collection::btree_map(names, section, 0..6).prop_map(|sections| {
        Value::from(sections.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    })
}

fn edits() -> Vec<Edit> {
    let account = HomeAccountId::new("uid-1.utid-1");
    let mut edits: Vec<Edit> =
        account.map(|account| Edit::RemoveExpired { account, now: 1_700_000_000 }).into_iter().collect();
    edits.extend([
        Edit::Put { section: Section::AccessToken, key: "key".into(), fields: vec![("secret", "at-new".into())] },
        Edit::RotateRefreshToken { old: Secret::new("rt-1".into()), new: Secret::new("rt-2".into()), now: 1 },
        Edit::RemoveRefreshToken { secret: Secret::new("rt-3".into()) },
        Edit::Merge { section: Section::AppMetadata, key: "key".into(), fields: vec![("client_id", "c".into())] },
    ]);
    edits
}

fn configuration() -> (Authority, Configuration) {
    let authority = Authority::parse("login.microsoftonline.com").unwrap();
    (authority, Configuration::try_from(Options::default()).unwrap())
}

proptest! {
    // A failing input is printed, and becomes a test or a case.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_of_any_kind_parses_or_is_refused(text in any::<String>()) {
        let _ = Document::parse(text);
    }

    #[test]
    fn text_that_looks_like_json_parses_or_is_refused(text in "[\\{\\}\\[\\]\",:a-c0-9 \\\\\n]{0,200}") {
        let parsed = Document::parse(text.clone()).is_ok();
        let is_object = serde_json::from_str::<Map<String, Value>>(&text).is_ok();
        // The scanner has no limits on depth and number ranges, so it may accept text that
        // serde_json refuses, but not the reverse.
        prop_assert!(parsed || !is_object);
    }

    #[test]
    fn an_object_that_is_not_edited_is_written_byte_for_byte(
        members in prop::collection::btree_map(".{0,8}", any_value(), 0..8),
        pretty in any::<bool>(),
    ) {
        let object = Value::from(members.into_iter().collect::<Map<_, _>>());
        let text = if pretty { serde_json::to_string_pretty(&object).unwrap() } else { object.to_string() };
        prop_assert_eq!(Object::parse(&text).unwrap().to_compact_text(), text);
    }

    #[test]
    fn an_edit_keeps_every_value_that_it_does_not_name(before in any_document(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&before).unwrap() } else { before.to_string() };
        // Reads the text back, because serde_json does not parse every float to the value it
        // printed.
        let before: Value = serde_json::from_str(&text).unwrap();
        let document = Document::parse(text.clone()).unwrap();
        let Ok(edited) = document.edited(&edits()) else {
            // The only reason to refuse an edit is a section that is not an object.
            let refusing = ["AccessToken", "RefreshToken", "AppMetadata"].map(|name| before.get(name));
            prop_assert!(refusing.into_iter().flatten().any(|section| !section.is_object() && !section.is_null()));
            return Ok(());
        };
        let after: Value = serde_json::from_str(edited.text()).unwrap();
        for section in ["Account", "IdToken", "Unknown"] {
            prop_assert_eq!(before.get(section), after.get(section));
        }
        for section in ["AccessToken", "RefreshToken", "AppMetadata"] {
            let entries = |document: &Value| document.get(section).and_then(Value::as_object).cloned().unwrap_or_default();
            let after = entries(&after);
            for (key, entry) in entries(&before) {
                let named = key == "key"
                    || (section == "RefreshToken" && ["rt-1", "rt-3"].iter().any(|secret| entry["secret"] == **secret))
                    || (section == "AccessToken" && entry["home_account_id"] == "uid-1.utid-1");
                prop_assert!(named || after.get(&key) == Some(&entry), "{}: {}", key, entry);
            }
        }
    }

    #[test]
    fn selection_ignores_the_order_of_entries(
        accounts in prop::collection::vec((0_usize..4, prop::sample::select(vec!["home", "other", "organizations"])), 0..10),
        with_token in prop::collection::vec(any::<bool>(), 4),
        rotation in any::<prop::sample::Index>(),
        reversed in any::<bool>(),
    ) {
        let entry = |(number, realm): &(usize, &str)| {
            let realm = if *realm == "home" { format!("utid-{number}") } else { (*realm).to_owned() };
            let entry = json!({
                "home_account_id": format!("uid-{number}.utid-{number}"), "environment": "login.windows.net",
                "realm": realm, "username": format!("user{number}@contoso.com"),
            });
            (format!("{number}-{realm}"), entry)
        };
        let token = |(number, _): (usize, &bool)| {
            let entry = json!({
                "home_account_id": format!("uid-{number}.utid-{number}"), "environment": "login.windows.net",
                "client_id": "other", "family_id": "1", "secret": format!("rt-{number}"),
            });
            (format!("{number}"), entry)
        };
        let tokens: Map<_, _> = with_token.iter().enumerate().filter(|(_, with)| **with).map(token).collect();
        let (authority, configuration) = configuration();
        let choose = |accounts: &[(usize, &str)]| {
            // Written by hand, because a map would sort the entries.
            let accounts: Vec<_> = accounts.iter().map(entry).map(|(key, entry)| format!("{key:?}:{entry}")).collect();
            let tokens = Value::from(tokens.clone());
            let text = format!("{{\"Account\":{{{}}},\"RefreshToken\":{tokens}}}", accounts.join(","));
            let document = Document::parse(text.clone()).unwrap();
            let mut candidates = account::candidates(&document, &authority, &configuration);
            let selected = account::select(&Holdings {
                document: &document,
                authority: &authority,
                configuration: &configuration,
                candidates: &candidates,
                missing: None,
            })
            .ok();
            candidates.sort_by(|a, b| a.username.cmp(&b.username));
            (candidates, selected)
        };
        let mut shuffled = accounts.clone();
        let turn = rotation.index(shuffled.len().max(1));
        shuffled.rotate_left(turn);
        if reversed {
            shuffled.reverse();
        }
        prop_assert_eq!(choose(&accounts), choose(&shuffled));
    }
}
