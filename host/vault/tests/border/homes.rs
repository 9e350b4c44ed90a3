//! Accounts whose home tenant has another name than `organizations`.

use serde_json::json;
use shared_token_cache_vault::{Credential, Form, Kind, Refused, Request, Vault};

use crate::cache::{NAME, NOW, SCOPE, anything, form, handles};

const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const PUBLIC: &str = "login.microsoftonline.com";
const CUSTOMERS: &str = "contoso.ciamlogin.com";

/// Whether a call that names no tenant, for an account of `home` with cached tokens of `realms`,
/// may send a request to `asked`, and whether it may return the token of `asked`.
fn allowed(authority: &str, home: &str, realms: &[(&str, u64)], asked: &str) -> (bool, bool) {
    let id = format!("uid.{home}");
    let entry = |secret: String| json!({ "home_account_id": id, "environment": authority, "client_id": "client", "secret": secret });
    let mut document = json!({
        "Account": { "account": { "home_account_id": id, "environment": authority, "username": "user0@outlook.com" } },
        "RefreshToken": { "r": entry("rt-0".into()) },
        "AccessToken": {},
    });
    for (realm, expires_on) in realms {
        let mut token = entry(format!("at-{realm}"));
        for (field, value) in [("realm", (*realm).to_owned()), ("target", SCOPE.to_owned())] {
            token[field] = value.into();
        }
        token["expires_on"] = expires_on.to_string().into();
        document["AccessToken"][realm] = token;
    }
    let credential = Credential {
        cache_name: "msal.cache".into(),
        authority: authority.into(),
        client_id: "client".into(),
        policy: anything(),
        ..Credential::default()
    };
    let vault = Vault::new(credential, 1 << 16).unwrap();
    let mut session = vault.session();
    session.begin(&Request { scopes: &[SCOPE.to_owned()], now: NOW, ..Request::default() }).unwrap();
    let sealed = vault.seal_document(NAME, "1", document.to_string().into_bytes()).unwrap();
    let handles = handles(&session.hold(sealed).unwrap());
    let fields = form(&handles["r"]);
    let sent = session.open_form(&Form { authority_host: authority, tenant: asked, headers: &[], fields: &fields });
    if let Err(refused) = &sent {
        assert_eq!(refused, &Refused::WrongTenant(Kind::RefreshToken));
    }
    let result = handles.get(asked).is_some_and(|token| session.open_result(token, NOW).is_ok());
    (sent.is_ok(), result)
}

#[test]
fn requests_for_a_personal_account_name_the_only_tenant_that_it_has_tokens_of() {
    let (soon, past) = (NOW + 1000, NOW - 1000);
    for (realms, asked, expected) in [
        (&[("t2", soon)][..], "t2", (true, true)),
        (&[("t2", soon)], "organizations", (false, false)),
        (&[("t2", soon)], "t3", (false, false)),
        (&[], "organizations", (true, false)),
        (&[], "t2", (false, false)),
        (&[], PERSONAL, (false, false)),
        (&[("t2", soon), ("t3", past)], "t2", (true, true)),
        (&[("t2", soon), ("t3", past)], "t3", (false, false)),
        (&[("t2", soon), ("t3", soon)], "t2", (false, false)),
        (&[("t2", soon), ("t3", soon)], "organizations", (true, false)),
        (&[("common", soon), ("t2", soon)], "t2", (true, true)),
    ] {
        assert_eq!(allowed(PUBLIC, PERSONAL, realms, asked), expected, "{realms:?} {asked}");
    }
}

#[test]
fn requests_for_another_account_never_name_a_tenant_that_it_visits() {
    let visits = [("t2", NOW + 1000)];
    assert_eq!(allowed(PUBLIC, "t1", &visits, "t2"), (false, false));
    assert_eq!(allowed(PUBLIC, "t1", &visits, "t1"), (false, false));
    assert_eq!(allowed(PUBLIC, "t1", &visits, "organizations"), (true, false));
}

#[test]
fn requests_to_an_authority_of_customers_name_the_home_tenant() {
    let visits = [("t2", NOW + 1000)];
    assert_eq!(allowed(CUSTOMERS, "t1", &visits, "t1"), (true, false));
    assert_eq!(allowed(CUSTOMERS, "t1", &visits, "t2"), (false, false));
    assert_eq!(allowed(CUSTOMERS, "t1", &visits, "organizations"), (false, false));
    assert_eq!(allowed("contoso.ciamlogin.com.evil.example", "t1", &[], "t1"), (false, false));
}
