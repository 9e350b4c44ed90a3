//! Checks of the policy: before a call, in a form, in a result, and for the accounts in messages.

use std::collections::HashSet;
use std::sync::Arc;

use shared_token_cache_policy::Policy;
use shared_token_cache_vault::{Credential, Form, Record, Request, Vault};

use crate::cache::{Fixture, SCOPE, form};

/// A policy for any scope, and these tenants, accounts and clients.
pub(crate) fn rules(tenants: &[&str], accounts: &[&str], clients: &[&str]) -> Policy {
    let list = |items: &[&str]| items.iter().map(|item| format!("{item:?}")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "scopes = [\"*\"]\ntenants = [{}]\naccounts = [{}]\nclient-ids = [{}]\n",
        list(tenants),
        list(accounts),
        list(clients)
    );
    Policy::from_toml(&text).unwrap()
}

fn ruled(policy: Policy) -> Credential {
    Credential { policy: Arc::new(policy), ..Credential::default() }
}

#[test]
fn a_call_begins_only_when_the_policy_allows_its_scopes_and_its_tenant() {
    let scopes = |scopes: &[&str]| scopes.iter().map(|&scope| scope.to_owned()).collect::<Vec<_>>();
    let policy = "scopes = [\"a\", \"b\"]\ntenants = [\"contoso.com\", \"utid-0\"]\n";
    for (asked, tenant_id, allowed) in [
        (scopes(&["a"]), None, true),
        (scopes(&["a", "B"]), None, true),
        (scopes(&["a b"]), None, true),
        (scopes(&["a c"]), None, false),
        (scopes(&["a", "b\tc"]), None, false),
        (scopes(&["a\u{2003}c"]), None, false),
        (scopes(&["a"]), Some("contoso.com"), true),
        (scopes(&["a"]), Some("CONTOSO.COM"), true),
        (scopes(&["a"]), Some("organizations"), true),
        (scopes(&["a"]), Some("common"), true),
        (scopes(&["a"]), Some("fabrikam.com"), false),
        (scopes(&["a"]), Some("contoso.com."), false),
    ] {
        let vault = Vault::new(ruled(Policy::from_toml(policy).unwrap()), 1 << 16).unwrap();
        let begun = vault.session().begin(&Request { scopes: &asked, tenant_id, ..Request::default() });
        assert_eq!(begun.is_ok(), allowed, "{asked:?} {tenant_id:?} {begun:?}");
    }
}

#[test]
fn scopes_of_openid_connect_alone_begin_no_call_unless_the_policy_allows_any_scope() {
    let named = "scopes = [\"https://vault.azure.net/.default\", \"offline_access\", \"openid\"]\ntenants = [\"*\"]\n";
    let any = "scopes = [\"*\"]\ntenants = [\"*\"]\n";
    for (policy, scopes, begins) in [
        (named, "https://vault.azure.net/.default offline_access", true),
        (named, "offline_access", false),
        (named, "OFFLINE_ACCESS\topenid", false),
        (named, "openid", false),
        (any, "offline_access", true),
    ] {
        let vault = Vault::new(ruled(Policy::from_toml(policy).unwrap()), 1 << 16).unwrap();
        let scopes = [scopes.to_owned()];
        let begun = vault.session().begin(&Request { scopes: &scopes, ..Request::default() });
        assert_eq!(begun.is_ok(), begins, "{scopes:?}");
    }
}

#[test]
fn nothing_opens_after_a_call_that_did_not_begin() {
    let mut fixture = Fixture::new(ruled(rules(&["utid-0"], &["*"], &["client"])));
    assert!(fixture.open_form("r0").is_ok());
    let scopes = [SCOPE.to_owned()];
    let request = Request { scopes: &scopes, tenant_id: Some("fabrikam.com"), ..Request::default() };
    fixture.session.begin(&request).unwrap_err();
    assert!(fixture.open_form("r0").is_err());
    assert!(fixture.session.open_result(&fixture.handle("a0"), 0).is_err());
}

#[test]
fn a_form_needs_an_account_a_tenant_and_a_client_that_the_policy_allows() {
    for (policy, refresh_token, denied) in [
        (rules(&["utid-0"], &["user0@contoso.com"], &["client"]), "r0", ""),
        (rules(&["UTID-0"], &["uid-0.UTID-0"], &["CLIENT"]), "r0", ""),
        (rules(&["utid-1"], &["*"], &["*"]), "r0", "`tenants`"),
        (rules(&["utid-1"], &["*"], &["*"]), "r1", ""),
        (rules(&[], &["*"], &["*"]), "r0", "`tenants`"),
        (rules(&["*"], &["user1@contoso.com"], &["*"]), "r0", "`accounts`"),
        (rules(&["*"], &["user1@contoso.com"], &["*"]), "r1", ""),
        (rules(&["*"], &["*"], &["other"]), "r0", "`client-ids`"),
    ] {
        let username = (refresh_token == "r1").then(|| "user1@contoso.com".to_owned());
        let fixture = Fixture::new(Credential { username, ..ruled(policy) });
        match fixture.open_form(refresh_token) {
            Ok(_) => assert!(denied.is_empty(), "{refresh_token} {denied}"),
            Err(refused) => assert!(!denied.is_empty() && refused.to_string().contains(denied), "{refused}"),
        }
    }
}

#[test]
fn a_tenant_that_a_request_names_is_not_the_home_tenant() {
    let open = |policy: Policy| {
        let mut fixture = Fixture::new(ruled(policy));
        let scopes = [SCOPE.to_owned()];
        let request = Request { scopes: &scopes, tenant_id: Some("fabrikam.com"), ..Request::default() };
        fixture.session.begin(&request).map_err(|denied| denied.to_string())?;
        let fields = form(&fixture.handle("r0"));
        let form = Form { authority_host: "login.windows.net", tenant: "fabrikam.com", headers: &[], fields: &fields };
        fixture.session.open_form(&form).map(drop).map_err(|refused| refused.to_string())
    };
    assert_eq!(open(rules(&["fabrikam.com"], &["*"], &["*"])), Ok(()));
    assert!(open(rules(&["utid-0"], &["*"], &["*"])).is_err(), "the home tenant is not the one that is asked");
}

#[test]
fn callers_see_accounts_that_a_document_has_and_the_policy_allows() {
    let named = |accounts: &[&str]| {
        let fixture = Fixture::new(ruled(rules(&["*"], accounts, &["*"])));
        let named: HashSet<_> = fixture.session.accounts();
        named.iter().map(|(name, tenant)| format!("{name} {}", tenant.unwrap_or("?"))).collect::<HashSet<_>>()
    };
    let (first, second) = ("user0@contoso.com utid-0".to_owned(), "user1@contoso.com utid-1".to_owned());
    assert_eq!(named(&[]), HashSet::new());
    assert_eq!(named(&["user0@contoso.com"]), HashSet::from([first.clone()]));
    assert_eq!(named(&["uid-1.utid-1"]), HashSet::from([second.clone()]));
    assert!(named(&["*"]).is_superset(&HashSet::from([first, second])));
}

#[test]
fn a_username_that_the_policy_denies_begins_no_call_unless_a_record_takes_its_place() {
    let record = || Some(Record { home_account_id: "uid-0.utid-0".into(), tenant_id: "utid-0".into() });
    for (username, record, begins) in [
        (Some("user0@contoso.com"), None, true),
        (Some("USER0@contoso.com"), None, true),
        (Some("user1@contoso.com"), None, false),
        // An empty name selects no account, so there is nothing to deny yet.
        (Some(""), None, true),
        (None, None, true),
        (Some("user1@contoso.com"), record(), true),
        (None, record(), true),
    ] {
        let policy = rules(&["*"], &["user0@contoso.com"], &["*"]);
        let credential = Credential { username: username.map(str::to_owned), record, ..ruled(policy) };
        let is_recorded = credential.record.is_some();
        let mut session = Vault::new(credential, 1 << 16).unwrap().session();
        let begun = session.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() });
        assert_eq!(begun.is_ok(), begins, "{username:?} {is_recorded} {begun:?}");
    }
}
