//! Which tenant is asked.

use shared_token_cache_tests::cli::{Authority, Cli};
use shared_token_cache_tests::sign_in::{LOCAL, SignIn, VAULT, document, token_reply};

/// The paths of the requests that a refresh makes.
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
