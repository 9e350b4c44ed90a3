//! The tenant of a request.

use serde_json::json;
use shared_token_cache_tests::cli::{Authority, Cli};
use shared_token_cache_tests::sign_in::{LOCAL, SignIn, VAULT, document, token_reply};

/// The paths of a refresh's requests.
fn asked(cli: &Cli, more: &[&str]) -> std::io::Result<Vec<String>> {
    let authority = Authority::answering(200, token_reply(0))?;
    cli.redeem(&authority, more)?.answer()?;
    Ok(authority.requests().into_iter().map(|request| request.path).collect())
}

fn signed_in() -> std::io::Result<Cli> {
    Cli::with_shared(&document(&[SignIn::new(0, LOCAL).access_token(VAULT)]))
}

const ORGANIZATIONS: &str = "/organizations/oauth2/v2.0/token";
const FABRIKAM: &str = "/fabrikam.com/oauth2/v2.0/token";

#[test]
fn the_tenant_of_a_request_is_asked() {
    assert_eq!(asked(&signed_in().unwrap(), &["--request-tenant", "fabrikam.com"]).unwrap(), [FABRIKAM]);
}

#[test]
fn a_tenant_that_selects_the_account_is_not_asked() {
    assert_eq!(asked(&signed_in().unwrap(), &["--tenant-id", "utid-00000000"]).unwrap(), [ORGANIZATIONS]);
}

#[test]
fn an_additionally_allowed_tenant_is_asked() {
    for allowed in [&["--additionally-allowed-tenant", "fabrikam.com"][..], &["--additionally-allowed-tenant", "*"]] {
        let flags = [&["--request-tenant", "fabrikam.com"][..], allowed].concat();
        assert_eq!(asked(&signed_in().unwrap(), &flags).unwrap(), [FABRIKAM], "{allowed:?}");
    }
}

#[test]
fn several_tenants_can_be_allowed() {
    let flags = [
        "--request-tenant",
        "fabrikam.com",
        "--additionally-allowed-tenant",
        "contoso.com",
        "--additionally-allowed-tenant",
        "fabrikam.com",
    ];
    assert_eq!(asked(&signed_in().unwrap(), &flags).unwrap(), [FABRIKAM]);
}

#[test]
fn a_tenant_that_is_not_among_the_allowed_ones_is_refused_and_nothing_is_sent() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = signed_in().unwrap();
    let flags = ["--request-tenant", "fabrikam.com", "--additionally-allowed-tenant", "contoso.com"];
    let error = cli.redeem(&authority, &flags).unwrap().error(4).unwrap();
    assert_eq!(error["kind"], "client-authentication");
    assert_eq!(error["reason"], "tenant-not-allowed");
    assert!(error["oauth"].is_null());
    assert!(error["message"].as_str().unwrap().contains("additionally-allowed-tenant"), "{error}");
    assert!(authority.requests().is_empty());
}

#[test]
fn disabling_multitenant_authentication_keeps_to_the_configured_tenant() {
    let mut cli = signed_in().unwrap();
    cli.set("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "1");
    assert_eq!(asked(&cli, &["--request-tenant", "fabrikam.com"]).unwrap(), [ORGANIZATIONS]);
}

#[test]
fn disabling_multitenant_authentication_with_nothing_disables_nothing() {
    let mut cli = signed_in().unwrap();
    cli.set("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "");
    assert_eq!(asked(&cli, &["--request-tenant", "fabrikam.com"]).unwrap(), [FABRIKAM]);
}

#[test]
fn a_token_of_another_tenant_is_cached_for_that_tenant() {
    let cli = signed_in().unwrap();
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let ask = |flags: &[&str]| cli.redeem(&authority, flags).unwrap().answer().unwrap();
    ask(&["--request-tenant", "fabrikam.com"]);
    ask(&["--request-tenant", "FABRIKAM.com"]);
    assert_eq!(authority.requests().len(), 1);
    ask(&[]);
    assert_eq!(authority.requests().len(), 2, "the home tenant's token is another one");
}

#[test]
fn a_tenant_that_is_not_asked_may_have_any_name() {
    let mut cli = signed_in().unwrap();
    cli.set("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "1");
    assert_eq!(asked(&cli, &["--request-tenant", "some_tenant"]).unwrap(), [ORGANIZATIONS]);
}

#[test]
fn ad_fs_is_asked_at_its_own_endpoint() {
    assert_eq!(asked(&signed_in().unwrap(), &["--request-tenant", "adfs"]).unwrap(), ["/adfs/oauth2/token"]);
}

/// A cache with one account whose home is not among the tenants of its tokens.
fn visitor(home: &str, tenants: &[&str]) -> std::io::Result<Cli> {
    let mut sign_in = SignIn::new(0, LOCAL);
    for (number, tenant) in tenants.iter().enumerate() {
        let scope = format!("https://resource{number}.contoso.com/.default");
        sign_in = sign_in.access_token_with(&scope, json!({ "realm": tenant }));
    }
    Cli::with_shared(&document(&[sign_in]).replace("utid-00000000", home))
}

const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

#[test]
fn a_personal_account_is_asked_for_in_the_only_tenant_that_it_visits() {
    let mut reply = token_reply(0);
    reply.as_object_mut().unwrap().remove("client_info");
    let authority = Authority::answering(200, reply).unwrap();
    visitor(PERSONAL, &["fabrikam.com"]).unwrap().redeem(&authority, &[]).unwrap().answer().unwrap();
    assert_eq!(authority.requests()[0].path, FABRIKAM);
}

#[test]
fn a_refusal_of_a_guest_names_the_tenants_that_the_cache_knows() {
    let refusal = json!({
        "error": "invalid_request", "error_description": "AADSTS50020: not in this tenant.", "error_codes": [50020],
    });
    let authority = Authority::answering(400, refusal).unwrap();
    let cli = visitor(PERSONAL, &["fabrikam.com", "example.com"]).unwrap();
    let error = cli.redeem(&authority, &[]).unwrap().error(4).unwrap();
    let message = error["message"].as_str().unwrap();
    for part in ["AADSTS50020", "user0@contoso.com", "fabrikam.com", "example.com", "--request-tenant"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn a_tenant_that_is_no_home_is_named_with_what_set_it_and_what_helps() {
    let ask = |cli: &Cli, more: &[&str]| {
        let arguments = [&["get-token", "--scope", VAULT, "--authority", LOCAL][..], more].concat();
        let error = cli.run(&arguments).unwrap().error(3).unwrap();
        assert_eq!(error["reason"], "no-matching-account");
        let candidates = json!([{ "username": "user0@contoso.com", "home_tenant_id": "home-contoso" }]);
        assert_eq!(error["candidates"], candidates);
        error["message"].as_str().unwrap().to_owned()
    };
    let mut cli = visitor("home-contoso", &["fabrikam.com"]).unwrap();
    let message = ask(&cli, &["--tenant-id", "fabrikam.com"]);
    for part in ["user0@contoso.com", "home-contoso", "--request-tenant fabrikam.com", "`--tenant-id fabrikam.com`"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("AZURE_TENANT_ID"), "{message}");
    for tenant in ["fabrikam.com", "organizations", "common", "resource.example.com"] {
        cli.set("AZURE_TENANT_ID", tenant);
        let message = ask(&cli, &[]);
        assert!(message.contains("AZURE_TENANT_ID") && message.contains("home-contoso"), "{message}");
        assert!(message.contains("is a guest in fabrikam.com"), "{message}");
    }
}
