//! The account and the client of a token.

use shared_token_cache_tests::cli::{Authority, Cli};
use shared_token_cache_tests::sign_in::{
    GRAPH, LOCAL, PUBLIC, SignIn, VAULT, access_token, document, tenant, token_reply, username,
};

const OTHER_CLIENT: &str = "aebc6443-996d-45c2-90f0-388ff96faa56";

/// Three accounts with a token each.
fn three() -> std::io::Result<Cli> {
    let sign_ins = [0, 1, 2].map(|number| SignIn::new(number, PUBLIC).access_token(VAULT));
    Cli::with_shared(&document(&sign_ins))
}

/// The token that `get-token` prints, or the reason of its error.
fn token_or_reason(cli: &Cli, more: &[&str]) -> std::io::Result<String> {
    let run = cli.run(&[&["get-token", "--scope", VAULT][..], more].concat())?;
    let (object, name) = if run.code == Some(0) { (run.answer()?, "token") } else { (run.error(3)?, "reason") };
    Ok(object.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned())
}

#[test]
fn a_username_selects_an_account_whatever_its_case() {
    let cli = three().unwrap();
    assert_eq!(token_or_reason(&cli, &["--username", &username(1)]).unwrap(), access_token(1, VAULT));
    assert_eq!(token_or_reason(&cli, &["--username", "USER2@Contoso.com"]).unwrap(), access_token(2, VAULT));
}

#[test]
fn a_home_tenant_selects_an_account() {
    let cli = three().unwrap();
    assert_eq!(token_or_reason(&cli, &["--tenant-id", &tenant(1)]).unwrap(), access_token(1, VAULT));
}

#[test]
fn username_and_tenant_have_to_be_of_the_same_account() {
    let cli = three().unwrap();
    let both = |name: u32, home: u32| {
        token_or_reason(&cli, &["--username", &username(name), "--tenant-id", &tenant(home)]).unwrap()
    };
    assert_eq!(both(1, 1), access_token(1, VAULT));
    assert_eq!(both(1, 2), "no-matching-account");
}

#[test]
fn the_environment_selects_an_account_where_no_flag_does() {
    let mut cli = three().unwrap();
    cli.set("AZURE_USERNAME", &username(1));
    assert_eq!(token_or_reason(&cli, &[]).unwrap(), access_token(1, VAULT));
    assert_eq!(token_or_reason(&cli, &["--username", &username(2)]).unwrap(), access_token(2, VAULT));

    let mut cli = three().unwrap();
    cli.set("AZURE_TENANT_ID", &tenant(1));
    assert_eq!(token_or_reason(&cli, &[]).unwrap(), access_token(1, VAULT));
    assert_eq!(token_or_reason(&cli, &["--tenant-id", &tenant(2)]).unwrap(), access_token(2, VAULT));
}

#[test]
fn a_flag_overrides_its_own_variable_and_no_other() {
    let mut cli = three().unwrap();
    cli.set("AZURE_USERNAME", &username(1));
    cli.set("AZURE_TENANT_ID", &tenant(1));
    assert_eq!(token_or_reason(&cli, &[]).unwrap(), access_token(1, VAULT));
    assert_eq!(token_or_reason(&cli, &["--tenant-id", &tenant(2)]).unwrap(), "no-matching-account");
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])).unwrap();
    for name in ["AZURE_USERNAME", "AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST", "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH"]
    {
        cli.set(name, "");
    }
    assert_eq!(token_or_reason(&cli, &[]).unwrap(), access_token(0, VAULT));
}

#[test]
fn an_empty_flag_lifts_what_the_environment_selects() {
    let mut cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])).unwrap();
    cli.set("AZURE_USERNAME", &username(1));
    assert_eq!(token_or_reason(&cli, &[]).unwrap(), "no-matching-account");
    assert_eq!(token_or_reason(&cli, &["--username", ""]).unwrap(), access_token(0, VAULT));
}

#[test]
fn an_authority_selects_the_accounts_of_its_cloud() {
    let sign_ins = [
        SignIn::new(0, "login.windows.net").access_token(VAULT),
        SignIn::new(1, "login.microsoftonline.us").access_token(VAULT),
        SignIn::new(2, "login.chinacloudapi.cn").access_token(VAULT),
    ];
    let mut cli = Cli::with_shared(&document(&sign_ins)).unwrap();
    assert_eq!(token_or_reason(&cli, &[]).unwrap(), access_token(0, VAULT));
    let us = token_or_reason(&cli, &["--authority", "https://login.microsoftonline.us/"]).unwrap();
    assert_eq!(us, access_token(1, VAULT));

    cli.set("AZURE_AUTHORITY_HOST", "https://login.partner.microsoftonline.cn");
    assert_eq!(token_or_reason(&cli, &[]).unwrap(), access_token(2, VAULT));
    assert_eq!(
        token_or_reason(&cli, &["--authority", "login.usgovcloudapi.net"]).unwrap(),
        access_token(1, VAULT),
        "a flag overrides the variable"
    );
}

#[test]
fn several_scopes_have_to_be_in_the_same_token() {
    let token = SignIn::new(0, PUBLIC).access_token("https://contoso.com/read https://contoso.com/write");
    let cli = Cli::with_shared(&document(&[token])).unwrap();
    for arguments in [
        &["--scope", "https://contoso.com/write", "--scope", "https://contoso.com/read"][..],
        &["--scope", " https://contoso.com/WRITE  https://contoso.com/read "],
    ] {
        let run = cli.run(&[&["get-token"][..], arguments].concat()).unwrap();
        assert_eq!(run.answer().unwrap()["expires_on"], shared_token_cache_tests::sign_in::FAR);
    }
}

#[test]
fn a_client_id_selects_the_refresh_tokens_that_may_be_used() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL).client(OTHER_CLIENT)])).unwrap();
    let error = cli.redeem(&authority, &[]).unwrap().error(3).unwrap();
    assert_eq!(error["reason"], "no-accounts");
    assert!(authority.requests().is_empty());

    cli.redeem(&authority, &["--client-id", OTHER_CLIENT]).unwrap().answer().unwrap();
    let requests = authority.requests();
    assert_eq!(requests[0].field("client_id"), Some(OTHER_CLIENT));
    assert_eq!(requests[0].field("scope"), Some(GRAPH));
}
