//! `accounts`.

use serde_json::json;
use shared_token_cache_tests::cli::{AZURE_CLI, Cli};
use shared_token_cache_tests::sign_in::{PUBLIC, SignIn, document, username};

fn two() -> std::io::Result<Cli> {
    Cli::with_shared(&document(&[0, 1].map(|number| SignIn::new(number, PUBLIC))))
}

#[test]
fn accounts_are_listed_line_by_line() {
    let run = two().unwrap().run(&["accounts"]).unwrap();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        run.stdout,
        "user0@contoso.com, home tenant utid-00000000, login.microsoftonline.com, from shared\n\
         user1@contoso.com, home tenant utid-00000001, login.microsoftonline.com, from shared\n"
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
fn a_source_that_cannot_be_read_is_left_out_with_a_word() {
    let cli = Cli::with_shared("[").unwrap();
    cli.write(AZURE_CLI, &document(&[SignIn::new(1, PUBLIC)])).unwrap();
    let run = cli.run(&["accounts"]).unwrap();
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 1));
    assert!(run.stderr.contains("shared is left out"), "{}", run.stderr);
}

#[test]
fn only_accounts_of_the_cloud_with_a_usable_refresh_token_are_listed() {
    let sign_ins = [
        SignIn::new(0, PUBLIC),
        SignIn::new(1, "login.microsoftonline.us"),
        SignIn::new(2, PUBLIC).client("aebc6443-996d-45c2-90f0-388ff96faa56"),
    ];
    let cli = Cli::with_shared(&document(&sign_ins)).unwrap();
    let names = |more: &[&str]| {
        let run = cli.run(&[&["accounts"][..], more].concat()).unwrap();
        run.stdout.lines().map(|line| line.split(',').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
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
