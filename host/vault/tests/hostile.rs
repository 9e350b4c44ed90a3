//! Whatever a component tries, each attempt has its refusal.

use std::sync::Arc;

use shared_token_cache_vault::{Credential, Form, Kind, Record, Refused, Request, Session, Vault};

mod cache;

use cache::{Fixture, NOW, SCOPE, at, form, rt};

const NAME: &str = "msal.cache.nocae";

#[test]
fn a_result_is_an_access_token_that_fits_the_call() {
    let access = Kind::AccessToken;
    let plain = Credential::default;
    let by_name = |name: &str| Credential { username: Some(name.into()), ..plain() };
    let record = |account: &str, tenant: &str| Credential {
        record: Some(Record { home_account_id: account.into(), tenant_id: tenant.into() }),
        ..plain()
    };
    let policy =
        Credential { allows_account: Some(Arc::new(|account| account.username != "user0@contoso.com")), ..plain() };
    let scopes = |scopes: &str| (Some(scopes.to_owned()), None, None, false);
    let usual = || (None, None, None, false);
    type Asked = (Option<String>, Option<&'static str>, Option<&'static str>, bool);
    let rows: Vec<(&str, Credential, Asked, &str, Result<&str, Refused>)> = vec![
        ("what fits", plain(), usual(), "a0", Ok("at-0")),
        ("by name, ignoring case", by_name("USER0@contoso.com"), usual(), "a0", Ok("at-0")),
        ("the other account by name", by_name("user1@contoso.com"), usual(), "a0", Err(Refused::WrongAccount(access))),
        (
            "the other account by tenant",
            Credential { tenant_id: Some("utid-1".into()), ..plain() },
            usual(),
            "a0",
            Err(Refused::WrongAccount(access)),
        ),
        (
            "the other account by record",
            record("uid-1.utid-1", "utid-0"),
            usual(),
            "a0",
            Err(Refused::WrongTenant(access)),
        ),
        (
            "the other account by record, of the tenant",
            record("uid-1.utid-1", "organizations"),
            usual(),
            "a0",
            Err(Refused::WrongAccount(access)),
        ),
        ("an account that the policy denies", policy.clone(), usual(), "a0", Err(Refused::DeniedAccount(access))),
        ("an account that the policy allows", policy, usual(), "a1", Ok("at-1")),
        (
            "another cloud",
            Credential { authority: "login.microsoftonline.us".into(), ..plain() },
            usual(),
            "a0",
            Err(Refused::WrongCloud(access)),
        ),
        (
            "another scope",
            plain(),
            scopes("https://graph.contoso.com/.default"),
            "a0",
            Err(Refused::WrongScopes(access)),
        ),
        (
            "one scope too many",
            plain(),
            scopes(&format!("{SCOPE} https://graph.contoso.com/.default")),
            "a0",
            Err(Refused::WrongScopes(access)),
        ),
        ("no scope", plain(), scopes(" "), "a0", Err(Refused::WrongScopes(access))),
        ("scopes have no case", plain(), scopes(&SCOPE.to_uppercase()), "a0", Ok("at-0")),
        ("another tenant", plain(), (None, Some("utid-9"), None, false), "a0", Err(Refused::WrongTenant(access))),
        ("another cache", plain(), (None, None, None, true), "a0", Err(Refused::WrongCache(access))),
        ("a cached token for a challenge", plain(), (None, None, Some("{}"), false), "a0", Err(Refused::Unchallenged)),
        ("an expired token", plain(), usual(), "a-expired", Err(Refused::Expired)),
        ("a token without expiry", plain(), usual(), "a-endless", Err(Refused::Expired)),
        ("a token of another type", plain(), usual(), "a-pop", Err(Refused::NotBearer)),
        ("a token bound to a key", plain(), usual(), "a-key", Err(Refused::NotBearer)),
        ("a token of another tenant's realm", plain(), usual(), "a-realm", Err(Refused::WrongTenant(access))),
        ("a token of nobody", plain(), usual(), "a-nobody", Err(Refused::WrongAccount(access))),
        ("a token whose entry says two things", plain(), usual(), "a-twice", Err(Refused::NotAnAccessToken)),
        ("a refresh token", plain(), usual(), "r0", Err(Refused::NotAnAccessToken)),
        ("an id token", plain(), usual(), "i0", Err(Refused::NotAnAccessToken)),
        ("an unknown secret", plain(), usual(), "o0", Err(Refused::NotAnAccessToken)),
        ("text", plain(), usual(), "at-0", Err(Refused::NotAnAccessToken)),
        ("a made-up handle", plain(), usual(), "sealed-a-AAAAAAAAAAAAAAAAAAAAAA", Err(Refused::NotAnAccessToken)),
        ("nothing", plain(), usual(), "", Err(Refused::NotAnAccessToken)),
    ];
    for (what, credential, (scopes, tenant_id, claims, enable_cae), token, expected) in rows {
        let fixture = Fixture::new(credential);
        let mut session = fixture.session.clone();
        let scopes = [scopes.unwrap_or_else(|| SCOPE.to_owned())];
        session.begin(&Request { scopes: &scopes, tenant_id, claims, enable_cae });
        let token = fixture.handle(token);
        let opened = session.open_result(&token, NOW).map(|open| open.token.expose().to_owned());
        assert_eq!(opened, expected.map(str::to_owned), "{what}");
    }
}

#[test]
fn a_result_needs_a_call_and_a_handle_of_this_session() {
    let fixture = Fixture::new(Credential::default());
    let other = Fixture::new(Credential::default());
    assert_eq!(fixture.session.open_result(&other.handle("a0"), NOW), Err(Refused::NotAnAccessToken));
    // The same vault, but another instance of the component.
    let mut sibling = fixture.session.vault().session();
    sibling.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() });
    assert_eq!(sibling.open_result(&fixture.handle("a0"), NOW), Err(Refused::NotAnAccessToken));
    let mut session = fixture.session.clone();
    session.end();
    assert_eq!(session.open_result(&fixture.handle("a0"), NOW), Err(Refused::NoCall));
}

#[test]
fn a_form_is_a_refresh_request_that_the_call_needs() {
    let refresh = Kind::RefreshToken;
    type Change = fn(&Fixture, &mut Vec<(String, String)>, &mut cache::Url, &mut Vec<(String, String)>);
    fn set(form: &mut [(String, String)], name: &str, value: impl Into<String>) {
        form.iter_mut().find(|(other, _)| other == name).unwrap().1 = value.into();
    }
    let rows: Vec<(&str, Change, Result<&str, Refused>)> = vec![
        ("as it should be", |_, _, _, _| {}, Ok("rt-0")),
        ("to an alias", |_, _, url, _| url.host = "login.windows.net", Ok("rt-0")),
        ("of a family", |f, form, _, _| set(form, "refresh_token", f.handle("r-family")), Ok("rt-family")),
        (
            "in another field",
            |f, form, _, _| set(form, "scope", f.handle("r0")),
            Err(Refused::HandleInRequest("other fields")),
        ),
        (
            "inside another field",
            |f, form, _, _| form.push(("claims".into(), format!("{{\"x\":\"{}\"}}", f.handle("a0")))),
            Err(Refused::HandleInRequest("other fields")),
        ),
        (
            "what looks like a handle in another field",
            |_, form, _, _| set(form, "client_info", "sealed-r-AAAAAAAAAAAAAAAAAAAAAA"),
            Err(Refused::HandleInRequest("other fields")),
        ),
        (
            "as a field's name",
            |f, form, _, _| form.push((f.handle("r0"), String::new())),
            Err(Refused::HandleInRequest("other fields")),
        ),
        (
            "in a header field",
            |f, _, _, headers| headers.push(("x-client-SKU".into(), f.handle("r0"))),
            Err(Refused::HandleInRequest("header fields")),
        ),
        ("in the URL", |f, _, url, _| url.tenant = f.handle("r0"), Err(Refused::HandleInRequest("URL"))),
        ("text", |_, form, _, _| set(form, "refresh_token", "rt-0"), Err(Refused::NotARefreshToken)),
        ("nothing", |_, form, _, _| set(form, "refresh_token", ""), Err(Refused::NotARefreshToken)),
        (
            "a handle with text around",
            |f, form, _, _| set(form, "refresh_token", format!("{} ", f.handle("r0"))),
            Err(Refused::NotARefreshToken),
        ),
        (
            "a made-up handle",
            |_, form, _, _| set(form, "refresh_token", "sealed-r-AAAAAAAAAAAAAAAAAAAAAA"),
            Err(Refused::NotARefreshToken),
        ),
        ("an access token", |f, form, _, _| set(form, "refresh_token", f.handle("a0")), Err(Refused::NotARefreshToken)),
        ("an id token", |f, form, _, _| set(form, "refresh_token", f.handle("i0")), Err(Refused::NotARefreshToken)),
        (
            "an unknown secret",
            |f, form, _, _| set(form, "refresh_token", f.handle("o0")),
            Err(Refused::NotARefreshToken),
        ),
        (
            "twice",
            |f, form, _, _| form.push(("refresh_token".into(), f.handle("r0"))),
            Err(Refused::RepeatedField("refresh_token")),
        ),
        (
            "without",
            |_, form, _, _| form.retain(|(name, _)| name != "refresh_token"),
            Err(Refused::MissingField("refresh_token")),
        ),
        ("another grant", |_, form, _, _| set(form, "grant_type", "client_credentials"), Err(Refused::WrongGrant)),
        (
            "an unknown field",
            |_, form, _, _| form.push(("redirect_uri".into(), "x".into())),
            Err(Refused::UnknownField("redirect_uri".into())),
        ),
        ("another client", |_, form, _, _| set(form, "client_id", "other"), Err(Refused::WrongClient(refresh))),
        (
            "another client's token",
            |f, form, _, _| set(form, "refresh_token", f.handle("r-other")),
            Err(Refused::WrongClient(refresh)),
        ),
        ("another cloud", |_, _, url, _| url.host = "login.microsoftonline.us", Err(Refused::WrongCloud(refresh))),
        (
            "another cloud's token",
            |f, form, _, _| set(form, "refresh_token", f.handle("r-cloud")),
            Err(Refused::WrongCloud(refresh)),
        ),
        (
            "another account's token",
            |f, form, _, _| set(form, "refresh_token", f.handle("r1")),
            Err(Refused::WrongAccount(refresh)),
        ),
        ("more scopes", |_, form, _, _| set(form, "scope", format!("{SCOPE} x")), Err(Refused::WrongScopes(refresh))),
        ("other scopes", |_, form, _, _| set(form, "scope", "x"), Err(Refused::WrongScopes(refresh))),
        ("no scope", |_, form, _, _| set(form, "scope", ""), Err(Refused::WrongScopes(refresh))),
        ("another tenant", |_, _, url, _| url.tenant = "utid-9".into(), Err(Refused::WrongTenant(refresh))),
    ];
    for (what, change, expected) in rows {
        let fixture = Fixture::new(Credential { username: Some("user0@contoso.com".into()), ..Credential::default() });
        let (mut fields, mut url, mut headers) = (form(&fixture.handle("r0")), cache::Url::default(), Vec::new());
        change(&fixture, &mut fields, &mut url, &mut headers);
        let opened = fixture.session.open_form(&Form {
            authority_host: url.host,
            tenant: &url.tenant,
            headers: &headers,
            fields: &fields,
        });
        let sent = opened.map(|open| {
            let field = open.fields.iter().find(|(name, _)| name == "refresh_token").unwrap();
            field.1.expose().to_owned()
        });
        assert_eq!(sent, expected.map(str::to_owned), "{what}");
    }
}

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
fn nothing_prints_a_secret() {
    let mut fixture = Fixture::new(Credential::default());
    let open = fixture.open_form("r0").unwrap();
    let document = fixture.session.open_document(NAME, "1", fixture.text.as_bytes()).unwrap();
    let sealed = fixture.session.vault().seal_document(NAME, "1", fixture.plain.clone().into_bytes()).unwrap();
    let token = fixture.session.open_result(&fixture.handle("a0"), NOW).unwrap();
    let said =
        format!("{open:?} {document:?} {sealed:?} {token:?} {:?} {:?}", fixture.session, fixture.session.vault());
    for secret in [at(0), rt(0), "uid-0".to_owned(), fixture.handle("r0")] {
        assert!(!said.contains(&secret), "{said}");
    }
    fixture.session.end();
    let _: &Session = &fixture.session;
    let _: Option<Vault> = None;
}
