//! Accounts whose sign-in the operating system's broker holds: they have cached tokens, but no
//! refresh token.

use serde_json::{Value, json};
use shared_token_cache_vault::{Credential, Kind, Refused, Request, Vault};

use crate::cache::{NAME, NOW, SCOPE, anything, handles};

const HOST: &str = "login.microsoftonline.com";

fn fields(number: usize, more: &Value) -> Value {
    let id = format!("uid-{number}.utid-{number}");
    let mut fields = json!({ "home_account_id": id, "environment": HOST });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fields
}

fn token(number: usize) -> Value {
    let more = json!({
        "client_id": "client", "realm": "organizations", "target": SCOPE, "secret": format!("at-{number}"),
        "cached_at": NOW.to_string(), "expires_on": (NOW + 301).to_string(),
    });
    fields(number, &more)
}

/// Opens the first account's token in a call at this time, after a change of the document.
fn opened(now: u64, username: &str, change: impl Fn(&mut Value)) -> Result<String, Refused> {
    let account = |number: usize| {
        let name = format!("user{number}@contoso.com");
        fields(number, &json!({ "realm": format!("utid-{number}"), "username": name, "account_source": "broker" }))
    };
    let mut document = json!({
        "Account": { "u0": account(0), "u1": account(1) },
        "AccessToken": { "a0": token(0) },
        "IdToken": {},
        "RefreshToken": {},
    });
    change(&mut document);
    let credential = Credential {
        cache_name: "msal.cache".into(),
        authority: HOST.into(),
        client_id: "client".into(),
        username: (!username.is_empty()).then(|| username.to_owned()),
        policy: anything(),
        ..Credential::default()
    };
    let vault = Vault::new(credential, 1 << 16).unwrap();
    let mut session = vault.session();
    session.begin(&Request { scopes: &[SCOPE.to_owned()], now, ..Request::default() }).unwrap();
    let sealed = vault.seal_document(NAME, "1", document.to_string().into_bytes()).unwrap();
    let handles = handles(&session.hold(sealed).unwrap());
    session.open_result(&handles["a0"], NOW).map(|open| open.token.expose().to_owned())
}

#[test]
fn an_account_of_the_broker_serves_while_it_has_a_token_for_the_call() {
    type Change = fn(&mut Value);
    let no_account = || Err(Refused::WrongAccount(Kind::AccessToken));
    let rows: [(&str, Change, Result<&str, Refused>); 14] = [
        ("a token that lives long enough", |_| {}, Ok("at-0")),
        ("a token of five minutes", |d| d["AccessToken"]["a0"]["expires_on"] = (NOW + 300).into(), no_account()),
        ("a token of an hour", |d| d["AccessToken"]["a0"]["expires_on"] = (NOW + 3600).into(), Ok("at-0")),
        ("a token of the past", |d| d["AccessToken"]["a0"]["cached_at"] = (NOW - 9).into(), Ok("at-0")),
        ("a token of the future", |d| d["AccessToken"]["a0"]["cached_at"] = (NOW + 1).into(), no_account()),
        ("a token of no time", |d| d["AccessToken"]["a0"]["cached_at"] = Value::Null, Ok("at-0")),
        ("an account of no broker", |d| d["Account"]["u0"]["account_source"] = Value::Null, no_account()),
        ("an account of another source", |d| d["Account"]["u0"]["account_source"] = "password".into(), no_account()),
        (
            "an account that the broker holds in another cloud",
            |d| {
                d["Account"]["u2"] = d["Account"]["u0"].clone();
                d["Account"]["u2"]["environment"] = "login.microsoftonline.us".into();
                d["Account"]["u0"]["account_source"] = Value::Null;
            },
            no_account(),
        ),
        (
            "an id token counts for nothing",
            |d| {
                d["AccessToken"]["a0"]["expires_on"] = (NOW + 300).into();
                d["IdToken"]["i0"] = token(0);
            },
            no_account(),
        ),
        (
            "a token for other scopes counts for nothing",
            |d| {
                d["AccessToken"]["a0"]["expires_on"] = (NOW + 300).into();
                d["AccessToken"]["b0"] = token(0);
                d["AccessToken"]["b0"]["target"] = "https://graph.contoso.com/.default".into();
            },
            no_account(),
        ),
        (
            "another token of the account that lives long enough",
            |d| {
                d["AccessToken"]["a0"]["expires_on"] = (NOW + 300).into();
                d["AccessToken"]["b0"] = token(0);
            },
            Ok("at-0"),
        ),
        (
            "a second account of the broker with a token",
            |d| d["AccessToken"]["a1"] = token(1),
            Err(Refused::SeveralAccounts(Kind::AccessToken)),
        ),
        (
            "an account with a refresh token goes first",
            |d| d["RefreshToken"]["r1"] = fields(1, &json!({ "client_id": "client", "secret": "rt-1" })),
            no_account(),
        ),
    ];
    for (what, change, expected) in rows {
        assert_eq!(opened(NOW, "", change), expected.map(str::to_owned), "{what}");
    }
    let other = opened(NOW, "user1@contoso.com", |document| document["AccessToken"]["a1"] = token(1));
    assert_eq!(other, Err(Refused::WrongAccount(Kind::AccessToken)), "the name selects the other account");
}

#[test]
fn a_call_without_a_clock_does_not_ask_when_a_token_was_cached() {
    let future: fn(&mut Value) = |document| document["AccessToken"]["a0"]["cached_at"] = (NOW + 1).into();
    assert_eq!(opened(0, "", future), Ok("at-0".to_owned()));
    assert!(opened(NOW, "", future).is_err());
}
