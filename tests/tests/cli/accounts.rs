//! `accounts`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{AZURE_CLI, Cli};
use shared_token_cache_tests::sign_in::{PUBLIC, SignIn, VAULT, document, username};

fn two() -> std::io::Result<Cli> {
    Cli::with_shared(&document(&[0, 1].map(|number| SignIn::new(number, PUBLIC))))
}

#[test]
fn accounts_are_a_table() {
    let run = two().unwrap().run(&["accounts"]).unwrap();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        run.stdout,
        "ACCOUNT            HOME TENANT    CLOUD                      SOURCE  USABLE\n\
         user0@contoso.com  utid-00000000  login.microsoftonline.com  shared  yes\n\
         user1@contoso.com  utid-00000001  login.microsoftonline.com  shared  yes\n"
    );
}

#[test]
fn accounts_are_listed_as_json_with_their_source() {
    let account = |number: u32| {
        json!({
            "username": username(number),
            "home_tenant_id": format!("utid-0000000{number}"),
            "environment": PUBLIC,
            "tenants": [format!("utid-0000000{number}")],
            "source": "shared",
            "usable": true,
            "reason": null,
            "client_ids": [],
            "hint": null,
        })
    };
    let expected = json!({ "accounts": [account(0), account(1)] });
    let run = two().unwrap().run(&["accounts", "--output", "json"]).unwrap();
    assert_eq!(run.answer().unwrap(), expected);
}

#[test]
fn accounts_of_every_source_are_listed_with_their_source() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC)])).unwrap();
    cli.write(AZURE_CLI, &document(&[SignIn::new(1, PUBLIC)])).unwrap();
    let answer = cli.run(&["accounts", "--output", "json"]).unwrap().answer().unwrap();
    let found: Vec<_> = answer["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| (&account["source"], &account["username"]))
        .collect();
    assert_eq!(found, [(&json!("shared"), &json!(username(0))), (&json!("azure-cli"), &json!(username(1)))]);
}

#[test]
fn a_source_that_cannot_be_read_is_left_out_with_a_warning() {
    let cli = Cli::with_shared("[").unwrap();
    cli.write(AZURE_CLI, &document(&[SignIn::new(1, PUBLIC)])).unwrap();
    let run = cli.run(&["accounts"]).unwrap();
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 2), "a heading and an account");
    assert!(run.stderr.contains("shared is left out"), "{}", run.stderr);
}

#[test]
fn only_accounts_of_the_cloud_with_a_usable_refresh_token_can_be_used() {
    let sign_ins = [
        SignIn::new(0, PUBLIC),
        SignIn::new(1, "login.microsoftonline.us"),
        SignIn::new(2, PUBLIC).client("aebc6443-996d-45c2-90f0-388ff96faa56"),
    ];
    let cli = Cli::with_shared(&document(&sign_ins)).unwrap();
    let names = |more: &[&str]| {
        let run = cli.run(&[&["accounts"][..], more].concat()).unwrap();
        let rows: Vec<_> = run.stdout.lines().filter(|line| line.contains("@contoso.com")).collect();
        assert_eq!(rows.len(), 3, "{}", run.stdout);
        let usable = rows.into_iter().filter(|line| line.ends_with("  yes"));
        usable.map(|line| line.split("  ").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), [username(0)]);
    assert_eq!(names(&["--authority", "login.microsoftonline.us"]), [username(1)]);
    assert_eq!(names(&["--client-id", "aebc6443-996d-45c2-90f0-388ff96faa56"]), [username(0), username(2)]);
}

#[test]
fn no_account_is_an_empty_list() {
    let cli = Cli::new().unwrap();
    let run = cli.run(&["accounts"]).unwrap();
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    assert!(run.stderr.contains("no account"), "{}", run.stderr);
    let answer = cli.run(&["accounts", "--output", "json"]).unwrap().answer().unwrap();
    assert_eq!(answer["accounts"], json!([]));
}

#[test]
fn a_cache_that_cannot_be_read_is_an_error() {
    let cli = Cli::with_shared("[").unwrap();
    let run = cli.run(&["accounts", "--source", "shared", "--output", "json"]).unwrap();
    assert_eq!(run.error(3).unwrap()["reason"], "cache-corrupt");
    let run = cli.run(&["accounts", "--source", "shared"]).unwrap();
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
    assert!(run.stderr.starts_with("shared-token-cache: "), "{}", run.stderr);
}

const OTHER_CLIENT: &str = "1950a258-227b-4e31-a9cf-717495945fc2";

/// A cache with an account for each possible obstacle, and tokens of a service principal.
fn hindered() -> std::io::Result<Cli> {
    let sign_ins = [
        SignIn::new(0, "login.microsoftonline.us"),
        SignIn::new(1, PUBLIC).client(OTHER_CLIENT),
        SignIn::new(2, PUBLIC).access_token(VAULT),
        SignIn::new(3, PUBLIC).access_token(VAULT),
    ];
    let mut document: Value = serde_json::from_str(&document(&sign_ins)).unwrap();
    for (_, entry) in document["Account"].as_object_mut().unwrap() {
        if entry["username"] == username(2) {
            entry["account_source"] = "broker".into();
        }
    }
    let refresh_tokens = document["RefreshToken"].as_object_mut().unwrap();
    refresh_tokens.retain(|key, _| !key.contains("uid-00000002") && !key.contains("uid-00000003"));
    document["AccessToken"]["application"] = json!({
        "credential_type": "AccessToken", "secret": "at-made-up-secret-application", "environment": PUBLIC,
        "home_account_id": null, "client_id": "application-0", "realm": "utid-00000009", "target": VAULT,
        "expires_on": "4102444800", "cached_at": "1700000000", "token_type": "Bearer",
    });
    Cli::with_shared(&document.to_string())
}

#[test]
fn accounts_that_cannot_be_used_are_listed_with_the_reason_and_a_hint() {
    let run = hindered().unwrap().run(&["accounts"]).unwrap();
    assert_eq!(run.code, Some(0));
    let lines: Vec<_> = run.stdout.lines().skip(1).collect();
    let expected = [
        ["user0@contoso.com", "no: other-cloud", "another cloud", "--authority login.microsoftonline.us"],
        ["user1@contoso.com", "no: other-client", "another client", "--client-id 1950a258-227b-4e31-a9cf-717495945fc2"],
        ["user2@contoso.com", "no: broker", "account broker", "az account get-access-token"],
        ["user3@contoso.com", "no: no-refresh-token", "no refresh token", "sign in again"],
        ["(application application-0)", "no: application", "service principal", "ClientSecretCredential"],
    ];
    assert_eq!(lines.len(), 2 * expected.len(), "a row and a hint for each: {}", run.stdout);
    for (lines, [name, reason, why, hint]) in lines.chunks(2).zip(expected) {
        assert!(lines[0].starts_with(name) && lines[0].ends_with(reason), "{lines:?}");
        assert!(lines[1].starts_with("  hint: ") && lines[1].contains(why) && lines[1].contains(hint), "{lines:?}");
    }
    assert!(run.stderr.contains("no account with a usable sign-in"), "{}", run.stderr);
}

#[test]
fn accounts_that_cannot_be_used_are_listed_as_json() {
    let answer = hindered().unwrap().run(&["accounts", "--output", "json"]).unwrap().answer().unwrap();
    let accounts = answer["accounts"].as_array().unwrap();
    let reasons: Vec<_> = accounts.iter().map(|account| account["reason"].as_str().unwrap_or_default()).collect();
    assert_eq!(reasons, ["other-cloud", "other-client", "broker", "no-refresh-token", "application"]);
    assert!(accounts.iter().all(|account| account["usable"] == false && account["hint"].is_string()));
    assert_eq!(accounts[1]["client_ids"], json!([OTHER_CLIENT]));
    assert_eq!(
        (&accounts[4]["client_ids"], &accounts[4]["tenants"]),
        (&json!(["application-0"]), &json!(["utid-00000009"]))
    );
}

#[test]
fn a_name_in_a_cache_can_neither_forge_a_line_nor_steer_the_terminal() {
    let names = [
        "\u{1b}]0;owned\u{7}user0@contoso.com",
        "user1@contoso.com\nuser9@contoso.com, home tenant x",
        "a\u{9b}2J\u{202e}b",
    ];
    let mut document: Value =
        serde_json::from_str(&document(&[0, 1, 2].map(|number| SignIn::new(number, PUBLIC)))).unwrap();
    for ((_, entry), name) in document["Account"].as_object_mut().unwrap().iter_mut().zip(names) {
        entry["username"] = name.into();
    }
    let cli = Cli::with_shared(&document.to_string()).unwrap();
    for arguments in [
        &["accounts"][..],
        &["get-token", "--scope", VAULT, "--output", "token"],
        &["get-token", "--scope", VAULT, "--output", "token", "--username", "nobody@contoso.com"],
        &["get-token", "--scope", VAULT, "--output", "token", "--tenant-id", "fabrikam.com"],
    ] {
        let run = cli.run(arguments).unwrap();
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains("user0@contoso.com"), "{said}");
        assert!(!said.contains(|character: char| "\u{1b}\u{7}\u{9b}\u{202e}".contains(character)), "{said:?}");
        assert!(!said.lines().any(|line| line.starts_with("user9@contoso.com")), "{said}");
    }
}
