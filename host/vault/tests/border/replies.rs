//! Replies of the token endpoint: their sealed text, and where their tokens may go.

use std::sync::Arc;

use shared_token_cache_policy::Policy;
use shared_token_cache_vault::{Credential, Form, Kind, Refused, Request};

use crate::cache::{self, Fixture, NAME, NOW, SCOPE};

pub(crate) const BODY: &str = r#"{"token_type":"Bearer","scope":"x","expires_in":3600,"access_token":"at-new","refresh_token":"rt-new","id_token":"idt-new","client_info":"eyJ1aWQiOiJ1aWQtMCIsInV0aWQiOiJ1dGlkLTAifQ"}"#;

/// The sealed text of a body, and the handles in it.
pub(crate) fn answer(fixture: &mut Fixture, body: &str) -> (String, Vec<String>) {
    let redemption = fixture.open_form("r0").unwrap().redemption;
    let sealed = fixture.session.seal_reply(redemption, 200, body.as_bytes().to_vec(), NOW);
    let handles = sealed.split('"').filter(|text| text.starts_with("sealed-")).map(str::to_owned).collect();
    (sealed, handles)
}

/// The entry of a new access token as the component writes it, with changes made before its key is
/// computed.
pub(crate) fn changed_entry(handle: &str, changes: &[(&str, &str)]) -> String {
    let fields = [
        ("credential_type", "AccessToken"),
        ("secret", handle),
        ("home_account_id", "uid-0.utid-0"),
        ("environment", "login.microsoftonline.com"),
        ("client_id", "client"),
        ("target", SCOPE),
        ("realm", "organizations"),
        ("token_type", "Bearer"),
        ("cached_at", "1700000000"),
        ("expires_on", "1700003600"),
        ("extended_expires_on", "1700003600"),
    ];
    let change = |name| changes.iter().find(|(changed, _)| *changed == name).map(|(_, text)| *text);
    let text = |name| change(name).or_else(|| Some(fields.iter().find(|(field, _)| *field == name)?.1)).unwrap();
    let key = format!(
        "{}-{}-accesstoken-{}-{}-{}",
        text("home_account_id"),
        text("environment"),
        text("client_id"),
        text("realm"),
        text("target")
    );
    let fields: Vec<String> = fields.iter().map(|(name, _)| format!("\"{name}\":\"{}\"", text(name))).collect();
    format!("\"{}\":{{{}}}", key.to_lowercase(), fields.join(","))
}

pub(crate) fn entry(handle: &str) -> String {
    changed_entry(handle, &[])
}

pub(crate) fn id_entry(handle: &str) -> String {
    format!(
        r#""uid-0.utid-0-login.microsoftonline.com-idtoken-client-organizations-":{{"credential_type":"IdToken","secret":"{handle}","home_account_id":"uid-0.utid-0","environment":"login.microsoftonline.com","realm":"organizations","client_id":"client"}}"#
    )
}

/// The text with an entry at the end of a section.
pub(crate) fn with_entry(text: &str, section: &str, entry: &str) -> String {
    let start = text.find(&format!("\"{section}\":{{")).unwrap();
    let end = start + text[start..].find("}}").unwrap() + 1;
    format!("{},{entry}{}", &text[..end], &text[end..])
}

#[test]
fn secrets_of_a_reply_are_sealed_and_all_else_stays() {
    for (body, sealed) in [
        (BODY.to_owned(), BODY.replace("at-new", "A").replace("idt-new", "I").replace("rt-new", "R")),
        (
            r#" {"\u0061ccess_token" : "at\/new", "x":[1e400]}"#.into(),
            r#" {"\u0061ccess_token" : "A", "x":[1e400]}"#.into(),
        ),
        (r#"{"access_token":"","id_token":null}"#.into(), r#"{"access_token":"","id_token":null}"#.into()),
        (r#"{"access_token":["at-new"]}"#.into(), r#"{"access_token":["O"]}"#.into()),
        (
            r#"{"access_token":{"refresh_token":"rt-new"},"id_token":7}"#.into(),
            r#"{"access_token":["O"],"id_token":["O"]}"#.into(),
        ),
        (
            r#"{"x":[{"refresh_token":"rt-new"}],"secret":"s"}"#.into(),
            r#"{"x":[{"refresh_token":"O"}],"secret":"O"}"#.into(),
        ),
        (r#"{"access_token":"one","access_token":"two"}"#.into(), r#"{"access_token":"A","access_token":"A"}"#.into()),
        (
            r#"{"error":"invalid_grant","error_description":"AADSTS50173","error_codes":[50173]}"#.into(),
            r#"{"error":"invalid_grant","error_description":"AADSTS50173","error_codes":[50173]}"#.into(),
        ),
        (
            r#"{"error":"sealed-r-AAAAAAAAAAAAAAAAAAAAAA"}"#.into(),
            r#"{"error":"sealed-r-AAAAAAAAAAAAAAAAAAAAAA"}"#.into(),
        ),
        (String::new(), String::new()),
        ("<html>at-new</html>".into(), "<".into()),
        ("[\"at-new\"]".into(), "null".into()),
        ("\u{feff}{}".into(), "{}".into()),
        (format!("\u{feff}{BODY}"), BODY.replace("at-new", "A").replace("idt-new", "I").replace("rt-new", "R")),
        (r#"{"access_token":"at-new""#.into(), "null".into()),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        let (mut seen, handles) = answer(&mut fixture, &body);
        for handle in handles.iter().filter(|handle| !body.contains(*handle)) {
            seen = seen.replace(handle, &handle[7..8].to_uppercase());
        }
        assert_eq!(seen, sealed, "{body}");
    }
}

#[test]
fn an_error_that_is_not_utf_8_keeps_its_code_and_a_token_that_is_not_is_withheld() {
    for (body, sealed) in [
        (
            &b"{\"error\":\"invalid_grant\",\"error_description\":\"ung\xfcltig\"}"[..],
            "{\"error\":\"invalid_grant\",\"error_description\":\"ung\u{fffd}ltig\"}",
        ),
        (b"{\"access_token\":\"at\xfcnew\",\"expires_in\":3600}", "null"),
        (b"{\"access_token\":\"at-new\",\"x\":\"\xfc\"}", "null"),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        let redemption = fixture.open_form("r0").unwrap().redemption;
        let seen = fixture.session.seal_reply(redemption, 200, body.to_vec(), NOW);
        assert_eq!(seen, sealed);
    }
}

#[test]
fn repetitions_of_the_refresh_token_and_of_handles_are_redacted_and_the_rest_stays() {
    let plain = Fixture::new(Credential::default()).plain.replace("\"rt-0\"", "\"rt-0-long-enough\"");
    for (body, expected) in [
        (r#"{"error":"bad token rt-0-long-enough"}"#, r#"{"error":"bad token [secret]"}"#),
        (r#"{"rt-0-long\u002denough":1}"#, r#"{"[secret]":1}"#),
        (r#"{"error":"bad token HANDLE"}"#, r#"{"error":"bad token [secret]"}"#),
        (r#"{"error":"bad token"}"#, r#"{"error":"bad token"}"#),
        (
            r#"{"error":"invalid_grant","error_description":"AADSTS700082: token rt-0-long-enough expired","trace_id":["rt-0-long-enough"],"error_codes":[700082]}"#,
            r#"{"error":"invalid_grant","error_description":"AADSTS700082: token [secret] expired","trace_id":["[secret]"],"error_codes":[700082]}"#,
        ),
        (
            r#"{"token":{"rt-0-long-enough":"rt-0-long-enough"},"x":"rt-0-long-enough"}"#,
            r#"{"token":["SEALED"],"x":"[secret]"}"#,
        ),
        (
            r#"{"access_token":"a","refresh_token":"rt-0-long-enough"}"#,
            r#"{"access_token":"SEALED","refresh_token":"SEALED"}"#,
        ),
        (
            r#"{"x":"rt-0-long-enough","access_token":"a","y":"rt-0-long-enough"}"#,
            r#"{"x":"[secret]","access_token":"SEALED","y":"[secret]"}"#,
        ),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        let sealed = fixture.session.vault().seal_document(NAME, "2", plain.clone().into_bytes()).unwrap();
        let text = fixture.session.hold(sealed).unwrap();
        let handle = cache::handles(&text)["r0"].clone();
        let redemption = fixture.open_form(&handle).unwrap().redemption;
        let body = body.replace("HANDLE", &handle);
        let mut sealed = fixture.session.seal_reply(redemption, 200, body.clone().into_bytes(), NOW);
        while let Some(start) = sealed.find("sealed-") {
            let end = start + sealed[start..].find('"').unwrap();
            sealed.replace_range(start..end, "SEALED");
        }
        assert_eq!(sealed, expected, "{body}");
    }
}

#[test]
fn a_new_access_token_serves_the_call_that_it_was_bought_for() {
    let access = Kind::AccessToken;
    let other = "eyJ1aWQiOiJ1aWQtMSIsInV0aWQiOiJ1dGlkLTEifQ";
    for (what, body, expected) in [
        ("what fits", BODY.to_owned(), Ok(NOW + 3600)),
        ("a point in time", BODY.replace("\"expires_in\":3600", "\"expires_on\":\"1700000001\""), Ok(NOW + 1)),
        ("no lifetime", BODY.replace("\"expires_in\":3600,", ""), Err(Refused::Expired)),
        ("expired", BODY.replace("3600", "0"), Err(Refused::Expired)),
        ("another type", BODY.replace("Bearer", "pop"), Err(Refused::NotBearer)),
        (
            "another account",
            BODY.replace("eyJ1aWQiOiJ1aWQtMCIsInV0aWQiOiJ1dGlkLTAifQ", other),
            Err(Refused::WrongAccount(access)),
        ),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        let (_, handles) = answer(&mut fixture, &body);
        let opened = fixture.session.open_result(&handles[0], NOW).map(|open| open.expires_on);
        assert_eq!(opened, expected, "{what}");
        let refused = Refused::WrongKindOfResult(Kind::RefreshToken);
        assert_eq!(fixture.session.open_result(&handles[1], NOW), Err(refused));
    }
}

#[test]
fn a_token_for_another_resource_is_withheld_unless_the_policy_allows_what_it_grants() {
    let only = |scopes: &[&str]| {
        let policy = Policy::default().allow_tenant("*".parse().unwrap());
        let policy = policy.allow_account("*".parse().unwrap()).allow_client("*".parse().unwrap());
        scopes.iter().fold(policy, |policy, scope| policy.allow_scope(scope.parse().unwrap()))
    };
    let graph = "https://graph.microsoft.com/Directory.ReadWrite.All";
    for (allowed, granted, withheld) in [
        (&[SCOPE][..], graph, true),
        (&[SCOPE, "https://graph.microsoft.com/.default"], graph, true),
        (&[SCOPE, "https://graph.microsoft.com/*"], graph, false),
        (&["*"], graph, false),
        (&[SCOPE], "https://vault.azure.net/user_impersonation", false),
        (&[SCOPE], "User.Read", false),
    ] {
        let policy = Arc::new(only(allowed));
        let mut fixture = Fixture::new(Credential { policy, ..Credential::default() });
        let (sealed, handles) =
            answer(&mut fixture, &BODY.replace("\"scope\":\"x\"", &format!("\"scope\":\"{granted}\"")));
        let opened = fixture.session.open_result(handles[0].trim_end_matches("\\ud800"), NOW);
        assert_eq!(opened.is_err(), withheld, "{allowed:?} {granted}: {opened:?}");
        assert_eq!(sealed.contains("\\ud800"), withheld, "a withheld token is not text: {sealed}");
        assert_eq!(fixture.session.withheld(), withheld.then_some(granted));
        let rotated = fixture.put(&fixture.text, "r0", &handles[1]);
        let open = fixture.session.open_document(NAME, "1", &rotated).unwrap();
        assert!(String::from_utf8_lossy(open.content()).contains("\"rt-new\""), "the refresh token is kept");
    }
}

#[test]
fn a_time_that_is_not_a_count_of_seconds_counts_as_missing() {
    for body in
        [BODY.replace("\"expires_in\":3600", "\"expires_on\":1700003600000"), BODY.replace("3600", "1700003600000")]
    {
        let mut fixture = Fixture::new(Credential::default());
        let (_, handles) = answer(&mut fixture, &body);
        assert_eq!(fixture.session.open_result(&handles[0], NOW), Err(Refused::Expired), "{body}");
    }
}

#[test]
fn a_challenge_is_answered_by_a_token_of_the_same_call_whose_request_had_its_claims() {
    let mut fixture = Fixture::new(Credential::default());
    let scopes = [SCOPE.to_owned()];
    let challenge = Request { scopes: &scopes, claims: Some("{\"a\": 1}"), ..Request::default() };
    fixture.session.begin(&challenge).unwrap();
    fixture.session.unchanged(NAME, "1");
    let ask = |claims: Option<&str>| {
        let mut fields = cache::form(&fixture.handle("r0"));
        fields.extend(claims.map(|claims| ("claims".to_owned(), claims.to_owned())));
        let form = Form {
            authority_host: "login.microsoftonline.com",
            tenant: "organizations",
            headers: &[],
            fields: &fields,
        };
        fixture.session.open_form(&form)
    };
    for claims in [None, Some(""), Some("{}"), Some("{\"a\":2}")] {
        assert_eq!(ask(claims).unwrap_err(), Refused::WrongClaims, "{claims:?}");
    }
    let redemption = ask(Some("{\"a\":1}")).unwrap().redemption;
    let sealed =
        fixture.session.seal_reply(redemption, 200, br#"{"access_token":"at-new","expires_in":1}"#.to_vec(), NOW);
    let handle = sealed.split('"').nth(3).unwrap().to_owned();
    assert!(fixture.session.open_result(&handle, NOW).is_ok());
    fixture.session.begin(&challenge).unwrap();
    fixture.session.unchanged(NAME, "1");
    assert_eq!(fixture.session.open_result(&handle, NOW), Err(Refused::Unchallenged), "the next one wants a newer one");
}

#[test]
fn an_access_token_with_other_characters_than_visible_ascii_is_refused() {
    for token in ["abc\\r\\nX-Admin: yes", "a b", "\\u0007", "caf\u{e9}", "\\u2028", " "] {
        let mut fixture = Fixture::new(Credential::default());
        let (sealed, handles) = answer(&mut fixture, &format!("{{\"access_token\":\"{token}\",\"expires_in\":9}}"));
        let reply: Result<serde_json::Value, _> = serde_json::from_str(&sealed);
        assert!(reply.is_err(), "the component must not read it as a token: {sealed}");
        let handle = handles[0].trim_end_matches("\\ud800");
        assert!(fixture.session.open_result(handle, NOW).is_err());

        let plain = fixture.plain.replacen("at-0", token, 1);
        let sealed = fixture.session.vault().seal_document(NAME, "2", plain.into_bytes()).unwrap();
        let text = fixture.session.hold(sealed).unwrap();
        assert!(text.contains("\\ud800"), "{text}");
        let open = fixture.session.open_document(NAME, "2", &text).unwrap();
        assert!(String::from_utf8_lossy(open.content()).contains(token), "the document is unchanged");
    }
    let mut fixture = Fixture::new(Credential::default());
    let (_, handles) = answer(&mut fixture, r#"{"access_token":"***","expires_in":9}"#);
    assert!(fixture.session.open_result(&handles[0], NOW).is_ok());
}

#[test]
fn tokens_of_an_answer_that_is_no_success_never_open() {
    let error = r#"{"error":"interaction_required","access_token":"at-new","expires_in":3600}"#;
    for (status, body, opens) in [
        (200, BODY, true),
        (400, error, false),
        (400, BODY, false),
        (200, error, false),
        (500, BODY, false),
        (302, BODY, false),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        let sealed = fixture.redeem(status, body);
        let reply: serde_json::Value = serde_json::from_str(&sealed).unwrap();
        let opened = fixture.session.open_result(reply["access_token"].as_str().unwrap(), NOW);
        let expected = if opens { Ok("at-new") } else { Err(Refused::NotAnAccessToken) };
        assert_eq!(opened.as_ref().map(|open| open.token.expose()), expected.as_ref().copied(), "{status} {body}");
    }
}

#[test]
fn an_answer_without_a_token_that_could_open_is_not_kept() {
    for (body, kept) in [
        (BODY, 1),
        (r#"{"refresh_token":"rt-new"}"#, 1),
        (r#"{"access_token":"a b","expires_in":3600}"#, 0),
        (r#"{"access_token":{"access_token":"at-new"},"expires_in":3600}"#, 0),
        (r#"{"x":{"access_token":"at-new"},"client_secret":"s","expires_in":3600}"#, 0),
        (r#"{"expires_in":3600}"#, 0),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        fixture.redeem(200, body);
        assert_eq!(format!("{:?}", fixture.session), format!("Session(1 documents, {kept} replies)"), "{body}");
    }
}

#[test]
fn a_token_that_was_bought_in_another_tenant_serves_no_call_for_this_one() {
    let mut fixture = Fixture::new(Credential::default());
    let scopes = [SCOPE.to_owned()];
    let begin = |fixture: &mut Fixture, tenant_id| {
        fixture.session.begin(&Request { scopes: &scopes, tenant_id, ..Request::default() }).unwrap();
        fixture.session.unchanged(NAME, "1");
    };
    begin(&mut fixture, Some("fabrikam.com"));
    let fields = cache::form(&fixture.handle("r0"));
    let form =
        Form { authority_host: "login.microsoftonline.com", tenant: "fabrikam.com", headers: &[], fields: &fields };
    let redemption = fixture.session.open_form(&form).unwrap().redemption;
    let sealed = fixture.session.seal_reply(redemption, 200, BODY.as_bytes().to_vec(), NOW);
    let reply: serde_json::Value = serde_json::from_str(&sealed).unwrap();
    let handle = reply["access_token"].as_str().unwrap();
    let wrong = || Err(Refused::WrongTenant(Kind::AccessToken));
    for (tenant_id, expected) in [
        (Some("fabrikam.com"), Ok("fabrikam.com".to_owned())),
        (None, wrong()),
        (Some("utid-0"), wrong()),
        (Some("contoso.com"), wrong()),
        (Some("FABRIKAM.com"), Ok("fabrikam.com".to_owned())),
    ] {
        let opened = fixture.session.open_result(handle, NOW).map(|open| open.tenant);
        assert_eq!(opened, Ok("fabrikam.com".to_owned()), "in the call that bought it");
        let mut later = Fixture::new(Credential::default());
        later.session = fixture.session.clone();
        begin(&mut later, tenant_id);
        assert_eq!(later.session.open_result(handle, NOW).map(|open| open.tenant), expected, "{tenant_id:?}");
    }
}

#[test]
fn the_type_of_an_access_token_is_one_word() {
    let (long, longer) = ("x".repeat(64), "x".repeat(65));
    let nameless = || Err(Refused::NewEntry { section: "AccessToken", why: "has a type of token that is not a name" });
    let other = || Err(Refused::ChangedEntry(Kind::AccessToken));
    for (bought, written, expected) in [
        ("Bearer", "bearer", Ok(())),
        ("Bearer", "pop", other()),
        ("pop", "Bearer", other()),
        ("pop", "pop", Ok(())),
        ("pop", "ssh-cert", Ok(())),
        ("pop", &long, Ok(())),
        ("pop", &longer, nameless()),
        ("pop", "", nameless()),
        ("pop", "p p", nameless()),
        ("pop", "p\u{f6}p", nameless()),
        ("pop", "p\\np", nameless()),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        let (_, new) = answer(&mut fixture, &BODY.replace("Bearer", bought));
        let entry = changed_entry(&new[0], &[("token_type", written)]);
        let text = with_entry(&fixture.text, "AccessToken", &entry);
        let opened = fixture.session.open_document(NAME, "1", &text).map(drop);
        assert_eq!(opened, expected, "{bought} {written}");
    }
}
