//! Tokens that may be returned to a caller.

use std::sync::Arc;

use shared_token_cache_policy::Policy;
use shared_token_cache_vault::{Credential, Kind, Origin, Record, Refused, Request};

use crate::cache::{Fixture, NAME, NOW, SCOPE};
use crate::rules::rules;

/// Scopes, tenant, claims, and whether under Continuous Access Evaluation.
type Asked = (Option<String>, Option<&'static str>, Option<&'static str>, bool);
/// The description, the credential, the call, the entry whose handle is returned, and the expected
/// outcome.
type Row<'a> = (&'a str, Credential, Asked, &'a str, Result<&'a str, Refused>);

#[test]
fn a_result_is_an_access_token_that_fits_the_call() {
    let access = Kind::AccessToken;
    let plain = Credential::default;
    let by_name = |name: &str| Credential { username: Some(name.into()), ..plain() };
    let record = |account: &str, tenant: &str| Credential {
        record: Some(Record { home_account_id: account.into(), tenant_id: tenant.into() }),
        ..plain()
    };
    let ruled = |policy: Policy| Credential { policy: Arc::new(policy), ..plain() };
    let accounts = ruled(rules(&["*"], &["user1@contoso.com"], &["*"]));
    let tenants = ruled(rules(&["utid-1"], &["*"], &["*"]));
    let clients = ruled(rules(&["*"], &["*"], &["other"]));
    let denied = |policy: &Credential| policy.policy.clone();
    let scopes = |scopes: &str| (Some(scopes.to_owned()), None, None, false);
    let usual = || (None, None, None, false);
    let rows: Vec<Row<'_>> = vec![
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
        (
            "an account that the policy denies",
            accounts.clone(),
            usual(),
            "a0",
            Err(denied(&accounts).check_account("user0@contoso.com", "uid-0.utid-0").unwrap_err().into()),
        ),
        ("an account that the policy allows", accounts, usual(), "a1", Ok("at-1")),
        (
            "a home tenant that the policy denies",
            tenants.clone(),
            usual(),
            "a0",
            Err(denied(&tenants).check_tenant("utid-0", None).unwrap_err().into()),
        ),
        (
            "a home tenant that the policy allows",
            Credential { username: Some("user1@contoso.com".into()), ..tenants },
            usual(),
            "a1",
            Ok("at-1"),
        ),
        (
            "a client that the policy denies",
            clients.clone(),
            usual(),
            "a0",
            Err(denied(&clients).check_client("client").unwrap_err().into()),
        ),
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
        ("a token of an unknown account", plain(), usual(), "a-nobody", Err(Refused::WrongAccount(access))),
        ("a token whose entry says two things", plain(), usual(), "a-twice", Err(Refused::NotAnAccessToken)),
        ("a refresh token", plain(), usual(), "r0", Err(Refused::WrongKindOfResult(Kind::RefreshToken))),
        ("an id token", plain(), usual(), "i0", Err(Refused::WrongKindOfResult(Kind::IdToken))),
        ("an unknown secret", plain(), usual(), "o0", Err(Refused::WrongKindOfResult(Kind::Opaque))),
        ("text", plain(), usual(), "at-0", Err(Refused::PlainResult)),
        ("a made-up handle", plain(), usual(), "sealed-a-AAAAAAAAAAAAAAAAAAAAAA", Err(Refused::NotAnAccessToken)),
        ("nothing", plain(), usual(), "", Err(Refused::PlainResult)),
    ];
    for (what, credential, (scopes, tenant_id, claims, enable_cae), token, expected) in rows {
        let fixture = Fixture::new(credential);
        let mut session = fixture.session.clone();
        let scopes = [scopes.unwrap_or_else(|| SCOPE.to_owned())];
        let request = Request { scopes: &scopes, tenant_id, claims, enable_cae, now: NOW };
        session.begin(&request).unwrap();
        session.unchanged(NAME, "1");
        let token = fixture.handle(token);
        let opened = session.open_result(&token, NOW).map(|open| open.token.expose().to_owned());
        assert_eq!(opened, expected.map(str::to_owned), "{what}");
    }
}

#[test]
fn a_result_needs_a_call_and_a_handle_of_this_session() {
    let fixture = Fixture::new(Credential::default());
    let other = Fixture::new(Credential::default());
    let mut session = fixture.session.clone();
    session.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() }).unwrap();
    assert_eq!(fixture.session.open_result(&other.handle("a0"), NOW), Err(Refused::NotAnAccessToken));
    // The same vault, but another instance of the component.
    let mut sibling = fixture.session.vault().session();
    sibling.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() }).unwrap();
    assert_eq!(sibling.open_result(&fixture.handle("a0"), NOW), Err(Refused::NotAnAccessToken));
    let mut session = fixture.session.clone();
    session.end();
    assert_eq!(session.open_result(&fixture.handle("a0"), NOW), Err(Refused::NoCall));
}

#[test]
fn the_facts_of_a_result_are_from_the_vault_s_record() {
    let fixture = Fixture::new(Credential::default());
    let token = fixture.session.open_result(&fixture.handle("a0"), NOW).unwrap();
    let shown = (token.home_account_id.as_str(), token.tenant.as_str(), token.origin);
    assert_eq!(shown, ("uid-0.utid-0", "utid-0", Origin::Cached));
}

#[test]
fn a_token_that_another_program_removed_is_not_handed_out_any_more() {
    let mut fixture = Fixture::new(Credential::default());
    let handle = fixture.handle("a0");
    assert!(fixture.session.open_result(&handle, NOW).is_ok());
    let newer = fixture.plain.replacen("at-0", "at-0-renewed", 1);
    let sealed = fixture.session.vault().seal_document(NAME, "2", newer.into_bytes()).unwrap();
    fixture.session.hold(sealed).unwrap();
    assert_eq!(fixture.session.open_result(&handle, NOW), Err(Refused::NotAnAccessToken));
}

#[test]
fn nothing_opens_while_several_accounts_could_serve() {
    let two = |credential: Credential| Credential { username: Some(String::new()), ..credential };
    let mut fixture = Fixture::new(two(Credential::default()));
    for (access, refresh) in [("a0", "r0"), ("a1", "r1")] {
        let opened = fixture.session.open_result(&fixture.handle(access), NOW);
        assert_eq!(opened, Err(Refused::SeveralAccounts(Kind::AccessToken)));
        assert_eq!(fixture.open_form(refresh).unwrap_err(), Refused::SeveralAccounts(Kind::RefreshToken));
    }
    // An account that is signed out does not count.
    let start = fixture.plain.find("\"r1\":").unwrap();
    let end = fixture.plain.find("\"r-family\":").unwrap();
    let one = format!("{}{}", &fixture.plain[..start], &fixture.plain[end..]);
    let sealed = fixture.session.vault().seal_document(NAME, "2", one.into_bytes()).unwrap();
    fixture.session.hold(sealed).unwrap();
    assert!(fixture.session.open_result(&fixture.handle("a0"), NOW).is_ok());
    let opened = fixture.session.open_result(&fixture.handle("a1"), NOW);
    assert_eq!(opened, Err(Refused::WrongAccount(Kind::AccessToken)));
    // In guest authentication the tenant selects one of them.
    let guest = Credential {
        tenant_id: Some("utid-1".into()),
        enable_guest_tenant_authentication: true,
        ..Credential::default()
    };
    let fixture = Fixture::new(two(guest));
    let opened = fixture.session.open_result(&fixture.handle("a0"), NOW);
    assert_ne!(opened.err(), Some(Refused::SeveralAccounts(Kind::AccessToken)));
}

#[test]
fn a_cached_token_serves_after_the_call_removed_the_dead_refresh_token_of_its_account() {
    let mut fixture = Fixture::new(Credential::default());
    let redemption = fixture.open_form("r0").unwrap().redemption;
    let dead = br#"{"error":"invalid_grant","suberror":"token_expired"}"#;
    fixture.session.seal_reply(redemption, 400, dead.to_vec(), NOW);
    let entry = |name: &str| fixture.text.find(&format!("\"{name}\":")).unwrap();
    let text = format!("{}{}", &fixture.text[..entry("r0")], &fixture.text[entry("r1")..]);
    // The family's refresh token of the account still exists. It may also be missing from a cache.
    let open = fixture.session.open_document(NAME, "1", &text).unwrap();
    fixture.session.replaced(open, "2");
    assert!(fixture.session.open_result(&fixture.handle("a0"), NOW).is_ok());
    let without = fixture.plain.replacen("\"family_id\":\"1\",", "", 1).replacen("\"r0\":", "\"r0-gone\":", 1);
    let without = without.replacen(
        "\"client_id\":\"client\",\"secret\":\"rt-0\"",
        "\"client_id\":\"other\",\"secret\":\"rt-0\"",
        1,
    );
    let sealed = fixture.session.vault().seal_document(NAME, "3", without.into_bytes()).unwrap();
    fixture.session.hold(sealed).unwrap();
    assert!(fixture.session.open_result(&fixture.handle("a0"), NOW).is_ok());
    fixture.session.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() }).unwrap();
    fixture.session.unchanged(NAME, "3");
    let refused = fixture.session.open_result(&fixture.handle("a0"), NOW);
    assert_eq!(refused, Err(Refused::WrongAccount(Kind::AccessToken)), "the next call chooses anew");
}
