//! Authentication records: azure-identity's JSON as a file.

use serde_json::json;
use shared_token_cache_tests::cli::{Authority, Cli};
use shared_token_cache_tests::sign_in::{
    CLIENT, GRAPH, LOCAL, SignIn, document, new_access_token, refresh_token, tenant, token_reply, username,
};

const RECORD: &str = "record.json";

/// A home in which two users are signed in, and the record of the second.
fn with_record(authority: &Authority, version: &str) -> std::io::Result<Cli> {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL), SignIn::new(1, LOCAL)]))?;
    let record = json!({
        "authority": authority.host(), "clientId": CLIENT, "homeAccountId": format!("uid-00000001.{}", tenant(1)),
        "tenantId": tenant(1), "username": username(1), "version": version,
    });
    cli.write(RECORD, &record.to_string())?;
    Ok(cli)
}

#[test]
fn a_record_names_the_account_and_its_tenant() {
    let authority = Authority::answering(200, token_reply(1)).unwrap();
    let cli = with_record(&authority, "1.0").unwrap();
    let answer = cli.redeem(&authority, &["--authentication-record", RECORD]).unwrap().answer().unwrap();
    assert_eq!(answer["token"], new_access_token(1).as_str());
    let request = &authority.requests()[0];
    assert_eq!(request.path, format!("/{}/oauth2/v2.0/token", tenant(1)));
    assert_eq!(request.field("refresh_token"), Some(refresh_token(1).as_str()));
}

#[test]
fn a_record_grants_nothing() {
    let authority = Authority::answering(200, token_reply(1)).unwrap();
    let cli = with_record(&authority, "1.0").unwrap();
    let ca_file = authority.ca_file();
    let run =
        cli.run(&["get-token", "--scope", GRAPH, "--authentication-record", RECORD, "--ca-file", &ca_file]).unwrap();
    assert_eq!(run.error(5).unwrap()["kind"], "denied");
    assert!(authority.requests().is_empty());
}

#[test]
fn a_file_that_is_no_record_is_an_invalid_argument() {
    let authority = Authority::answering(200, token_reply(1)).unwrap();
    let cli = with_record(&authority, "2.0").unwrap();
    cli.write("garbage.json", "{").unwrap();
    for file in [RECORD, "garbage.json", "missing.json"] {
        let error = cli.redeem(&authority, &["--authentication-record", file]).unwrap().error(2).unwrap();
        assert_eq!(error["kind"], "invalid-argument");
        assert!(error["message"].as_str().unwrap().contains(file), "{error}");
    }
}
