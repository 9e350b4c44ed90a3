//! Forms that may be sent to an authority.

use shared_token_cache_vault::{Credential, Form, Kind, Refused};

use crate::cache::{Fixture, NAME, SCOPE, Url, form, handles};

type Fields = Vec<(String, String)>;
type Change = fn(&Fixture, &mut Fields, &mut Url, &mut Fields);

#[test]
fn a_form_is_a_refresh_request_that_the_call_needs() {
    let refresh = Kind::RefreshToken;
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
        (
            "without client_info",
            |_, form, _, _| form.retain(|(name, _)| name != "client_info"),
            Err(Refused::MissingField("client_info")),
        ),
        (
            "with client_info=0",
            |_, form, _, _| set(form, "client_info", "0"),
            Err(Refused::MissingField("client_info")),
        ),
        ("with claims", |_, form, _, _| form.push(("claims".into(), "{}".into())), Err(Refused::WrongClaims)),
        ("with empty claims", |_, form, _, _| form.push(("claims".into(), String::new())), Err(Refused::WrongClaims)),
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
        (
            "an access token",
            |f, form, _, _| set(form, "refresh_token", f.handle("a0")),
            Err(Refused::WrongKindOfGrant(Kind::AccessToken)),
        ),
        (
            "an id token",
            |f, form, _, _| set(form, "refresh_token", f.handle("i0")),
            Err(Refused::WrongKindOfGrant(Kind::IdToken)),
        ),
        (
            "an unknown secret",
            |f, form, _, _| set(form, "refresh_token", f.handle("o0")),
            Err(Refused::WrongKindOfGrant(Kind::Opaque)),
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
        (
            "scopes separated by another character than a space",
            |_, form, _, _| set(form, "scope", format!("{SCOPE}\u{2003}{SCOPE}")),
            Err(Refused::WrongScopes(refresh)),
        ),
        ("other scopes", |_, form, _, _| set(form, "scope", "x"), Err(Refused::WrongScopes(refresh))),
        ("no scope", |_, form, _, _| set(form, "scope", ""), Err(Refused::WrongScopes(refresh))),
        ("another tenant", |_, _, url, _| url.tenant = "utid-9".into(), Err(Refused::WrongTenant(refresh))),
    ];
    for (what, change, expected) in rows {
        let fixture = Fixture::new(Credential { username: Some("user0@contoso.com".into()), ..Credential::default() });
        let (mut fields, mut url, mut headers) = (form(&fixture.handle("r0")), Url::default(), Vec::new());
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

fn set(form: &mut [(String, String)], name: &str, value: impl Into<String>) {
    form.iter_mut().find(|(other, _)| other == name).unwrap().1 = value.into();
}

#[test]
fn of_equal_refresh_tokens_one_that_fits_is_sent_or_else_the_first_gives_the_error() {
    let refresh = Kind::RefreshToken;
    for (one, other, expected) in [
        ("rt-other", "rt-cloud", Err(Refused::WrongClient(refresh))),
        ("rt-1", "rt-other", Err(Refused::WrongAccount(refresh))),
        ("rt-1", "rt-family", Ok(())),
        ("rt-family", "rt-cloud", Ok(())),
    ] {
        let mut fixture = Fixture::new(Credential::default());
        let equal = |plain: &str, secret| plain.replacen(&format!("\"{secret}\""), "\"rt-equal\"", 1);
        let plain = equal(&equal(&fixture.plain, one), other);
        let sealed = fixture.session.vault().seal_document(NAME, "2", plain.into_bytes()).unwrap();
        let text = fixture.session.hold(sealed).unwrap();
        let token = if one == "rt-1" { "r1" } else { &one.replacen("rt", "r", 1) };
        let opened = fixture.open_form(&handles(&text)[token]).map(drop);
        assert_eq!(opened, expected, "{one} {other}");
    }
}
