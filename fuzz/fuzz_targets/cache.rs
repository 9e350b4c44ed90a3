//! Any document: it is a cache or damaged, every token in the result is from it, and a write
//! changes the intended parts only.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared_token_cache_core::{
    CacheDocument, Credential, Document, Error, Options, TokenRequestOptions, UnavailableReason,
};
use shared_token_cache_fuzz::{NOW, SCOPE, World, ask, entries, is_in_the_past, json_reply, members, text};

const NEW_TOKENS: &str = r#"{"token_type":"Bearer","expires_in":3600,"access_token":"at-new","refresh_token":"rt-new",
"id_token":"idt-new","foci":"1"}"#;
const DEAD: &str = r#"{"error":"invalid_grant","suberror":"bad_token"}"#;
const WITH_A_DEAD_TOKEN: &str = r#"{"Account":{"a":{"home_account_id":"gone.gone","environment":"login.windows.net"}},
"RefreshToken":{"r":{"home_account_id":"gone.gone","environment":"login.windows.net","family_id":"1","secret":"rt-gone"}}}"#;

fuzz_target!(|content: &[u8]| {
    for options in ways_to_ask() {
        without_network(content, &options);
        with_new_tokens(content, &options);
    }
    nothing_to_edit(content);
});

fn ways_to_ask() -> [Options; 4] {
    let record = r#"{"authority":"login.microsoftonline.com","clientId":"04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "homeAccountId":"uid-00000001.utid-00000001","tenantId":"utid-00000001","username":"u","version":"1.0"}"#;
    [
        Options::default(),
        Options { username: Some("user0@contoso.com".into()), ..Options::default() },
        Options {
            tenant_id: Some("utid-00000001".into()),
            enable_guest_tenant_authentication: true,
            ..Options::default()
        },
        Options { authentication_record: Some(record.into()), ..Options::default() },
    ]
}

/// A call without a reachable authority writes nothing, and returns a token of the document or
/// none. A damaged document is reported as damaged.
fn without_network(content: &[u8], options: &Options) {
    let mut world = World::new(content);
    let mut credential = Credential::new(options.clone()).unwrap();
    let request = TokenRequestOptions::default();
    let first = credential.get_token(&mut world, &[SCOPE.to_owned()], &request);
    let second = credential.get_token(&mut world, &[SCOPE.to_owned()], &request);
    assert_eq!(first, second, "what a credential keeps between calls only saves time");
    let accounts = credential.accounts(&mut world, false);
    assert!(world.written.is_empty());

    let damaged = CacheDocument::text(content.to_vec()).map_or(true, |text| Document::parse(text).is_err());
    let called_damaged = |error: &Error| matches!(error, Error::CredentialUnavailable(why) if why.reason == UnavailableReason::CacheCorrupt);
    assert_eq!(damaged, first.as_ref().is_err_and(called_damaged));
    assert_eq!(damaged, accounts.is_err());
    assert!(!damaged || world.redeemed.is_empty());

    let secrets = |section| {
        let entries = entries(without_mark(content), section);
        entries.into_iter().filter_map(|(_, entry)| text(&entry, "secret")).collect::<Vec<_>>()
    };
    if let Ok(token) = first {
        assert!(secrets("AccessToken").iter().any(|secret| secret == token.token.expose()));
        assert!(token.expires_on > NOW);
    }
    for token in world.redeemed {
        assert!(secrets("RefreshToken").contains(&token));
    }
}

/// New tokens reach the caller. If they are written, the next call finds them, and every other
/// entry is unchanged.
fn with_new_tokens(content: &[u8], options: &Options) {
    let mut world = World::answering(content, json_reply(200, NEW_TOKENS));
    let result = ask(&mut world, options);
    let [redeemed] = world.redeemed.as_slice() else {
        assert!(world.written.is_empty() && world.redeemed.is_empty());
        return;
    };
    assert_eq!(result.unwrap().token.expose(), "at-new");
    let [after] = world.written.as_slice() else {
        assert!(world.written.is_empty());
        return;
    };
    assert_eq!(ask(&mut World::new(after), options).unwrap().token.expose(), "at-new");
    let after = std::str::from_utf8(after).unwrap();
    let before = without_mark(content);
    let before = if before.is_empty() { "{}" } else { before };

    let sections = ["AccessToken", "RefreshToken", "IdToken", "AppMetadata"];
    let others = |document| {
        members(document).unwrap().into_iter().filter(|(name, _)| !sections.contains(&&**name)).collect::<Vec<_>>()
    };
    assert_eq!(others(before), others(after));
    let rotated = |(key, entry): (String, String)| {
        let is_redeemed = text(&entry, "secret").is_some_and(|secret| secret == *redeemed || secret == "rt-new");
        if is_redeemed { (key, String::new()) } else { (key, entry) }
    };
    let refresh_tokens = |document| entries(document, "RefreshToken").into_iter().map(rotated).collect::<Vec<_>>();
    assert_eq!(refresh_tokens(before), refresh_tokens(after));
    for section in ["AccessToken", "IdToken", "AppMetadata"] {
        assert_kept(before, after, section);
    }
}

/// All entries of a section are unchanged, except for expired access tokens and the entry with the
/// new one's key.
fn assert_kept(before: &str, after: &str, section: &str) {
    let after = entries(after, section);
    let key_of_new = |key: &str| {
        after.iter().any(|(new, entry)| {
            let is_new = text(entry, "secret").is_some_and(|secret| secret.ends_with("t-new"));
            new.eq_ignore_ascii_case(key) && (is_new || section == "AppMetadata")
        })
    };
    for (key, entry) in entries(before, section) {
        let expired = section == "AccessToken" && is_in_the_past(&entry, "expires_on", NOW);
        let kept = after.iter().any(|(other, now)| *other == key && *now == entry);
        assert!(kept || expired || key_of_new(&key), "{section}: {key}: {entry}");
    }
}

/// A write without changes changes no byte: the dead token that it would remove is missing in the
/// document that another program has written meanwhile.
fn nothing_to_edit(content: &[u8]) {
    let mut world = World::answering(WITH_A_DEAD_TOKEN.as_bytes(), json_reply(400, DEAD));
    world.overtaken_by = Some(content.to_vec());
    assert!(matches!(ask(&mut world, &Options::default()), Err(Error::ClientAuthentication(_))));
    let before = without_mark(content);
    if entries(before, "RefreshToken").iter().any(|(_, entry)| text(entry, "secret").as_deref() == Some("rt-gone")) {
        return;
    }
    // An empty document is written as an object without members, and the white space around a
    // document is dropped.
    let before = if before.is_empty() { "{}" } else { before.trim_matches([' ', '\t', '\n', '\r']) };
    for written in &world.written {
        assert_eq!(String::from_utf8_lossy(written), before);
    }
    assert!(world.written.len() == 1 || world.content() == content);
}

/// The text after a byte order mark; `None` if it is not UTF-8.
fn without_mark(content: &[u8]) -> &str {
    std::str::from_utf8(content).unwrap_or_default().trim_start_matches('\u{feff}')
}
