//! The order of sources.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{AZURE_CLI, Authority, Cli, SHARED, SHARED_CAE};
use shared_token_cache_tests::sign_in::{
    GRAPH, LOCAL, PUBLIC, SignIn, VAULT, access_token, document, new_access_token, refresh_token, token_reply, username,
};
use token_endpoint::Reply;

/// The cache of user `number`.
fn cache_of(number: u32) -> String {
    document(&[SignIn::new(number, PUBLIC).access_token(VAULT)])
}

/// A home in which user 0 is signed in to the shared cache, and user 1 to the Azure CLI.
fn both() -> std::io::Result<Cli> {
    let cli = Cli::with_shared(&cache_of(0))?;
    cli.write(AZURE_CLI, &cache_of(1))?;
    Ok(cli)
}

/// The token and the source in a response of `get-token` for Key Vault.
fn served(cli: &Cli, more: &[&str]) -> std::io::Result<(String, String)> {
    let arguments = [&["get-token", "--scope", VAULT][..], more].concat();
    let answer = cli.run(&arguments)?.answer()?;
    let text = |name: &str| answer.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    Ok((text("token"), text("source")))
}

fn token_of(number: u32, source: &str) -> (String, String) {
    (access_token(number, VAULT), source.to_owned())
}

#[test]
fn shared_is_the_cache_of_the_developer_tools() {
    assert_eq!(served(&both().unwrap(), &["--source", "shared"]).unwrap(), token_of(0, "shared"));
}

#[test]
fn azure_cli_is_the_cache_of_the_azure_cli() {
    assert_eq!(served(&both().unwrap(), &["--source", "azure-cli"]).unwrap(), token_of(1, "azure-cli"));
}

#[test]
fn azure_config_dir_moves_the_cache_of_the_azure_cli() {
    let mut cli = both().unwrap();
    cli.write("elsewhere/msal_token_cache.json", &cache_of(2)).unwrap();
    let elsewhere = cli.home().join("elsewhere").display().to_string();
    cli.set("AZURE_CONFIG_DIR", &elsewhere);
    assert_eq!(served(&cli, &["--source", "azure-cli"]).unwrap(), token_of(2, "azure-cli"));

    cli.set("AZURE_CONFIG_DIR", "");
    assert_eq!(served(&cli, &["--source", "azure-cli"]).unwrap(), token_of(1, "azure-cli"));
}

#[test]
fn a_file_is_exactly_that_file() {
    let cli = both().unwrap();
    let path = cli.write("copy.json", &cache_of(2)).unwrap();
    let source = format!("file:{path}");
    assert_eq!(served(&cli, &["--source", &source]).unwrap(), token_of(2, &source));
}

#[test]
fn a_file_may_be_named_relative_to_the_working_folder() {
    let cli = Cli::new().unwrap();
    cli.write("copy.json", &cache_of(2)).unwrap();
    let (token, source) = served(&cli, &["--source", "file:copy.json"]).unwrap();
    assert_eq!(token, access_token(2, VAULT));
    assert!(source.starts_with("file:/") && source.ends_with("/copy.json"), "{source}");
}

#[test]
fn auto_takes_the_shared_cache_first() {
    let cli = both().unwrap();
    assert_eq!(served(&cli, &["--source", "auto"]).unwrap(), token_of(0, "shared"));
    assert_eq!(served(&cli, &[]).unwrap(), token_of(0, "shared"), "auto is the default");
}

#[test]
fn auto_falls_through_to_the_azure_cli_when_there_is_no_shared_cache() {
    let cli = Cli::new().unwrap();
    cli.write(AZURE_CLI, &cache_of(1)).unwrap();
    assert_eq!(served(&cli, &[]).unwrap(), token_of(1, "azure-cli"));
}

#[test]
fn auto_falls_through_to_the_azure_cli_when_the_shared_cache_has_no_such_account() {
    assert_eq!(served(&both().unwrap(), &["--username", &username(1)]).unwrap(), token_of(1, "azure-cli"));
}

#[test]
fn auto_falls_through_to_the_azure_cli_when_the_shared_cache_is_damaged() {
    let cli = both().unwrap();
    cli.write(SHARED, "{").unwrap();
    assert_eq!(served(&cli, &[]).unwrap(), token_of(1, "azure-cli"));
}

#[test]
fn auto_falls_through_to_nothing_else() {
    let cli = both().unwrap();
    cli.write("copy.json", &cache_of(2)).unwrap();
    let run = cli.run(&["get-token", "--scope", VAULT, "--username", &username(2)]).unwrap();
    assert_eq!(run.error(3).unwrap()["reason"], "no-matching-account");
}

#[test]
fn a_source_without_a_sign_in_is_not_made_up_for_by_another() {
    let cli = Cli::new().unwrap();
    cli.write(AZURE_CLI, &cache_of(1)).unwrap();
    let run = cli.run(&["get-token", "--scope", VAULT, "--source", "shared"]).unwrap();
    assert_eq!(run.error(3).unwrap()["reason"], "no-accounts");
}

#[test]
fn a_cache_name_names_another_shared_cache() {
    let cli = both().unwrap();
    cli.write(".IdentityService/contoso-tools.nocae", &cache_of(2)).unwrap();
    assert_eq!(served(&cli, &["--cache-name", "contoso-tools"]).unwrap(), token_of(2, "shared"));
}

#[test]
fn tokens_under_continuous_access_evaluation_have_a_cache_of_their_own() {
    let cli = both().unwrap();
    cli.write(SHARED_CAE, &cache_of(2)).unwrap();
    cli.write(".IdentityService/contoso-tools.cae", &cache_of(3)).unwrap();
    assert_eq!(served(&cli, &["--enable-cae"]).unwrap(), token_of(2, "shared"));
    let named = served(&cli, &["--enable-cae", "--cache-name", "contoso-tools"]);
    assert_eq!(named.unwrap(), token_of(3, "shared"));
}

#[test]
fn without_a_home_folder_there_is_no_shared_cache() {
    let mut cli = both().unwrap();
    cli.set("HOME", "");
    cli.set("USERPROFILE", "");
    let error = cli.run(&["get-token", "--scope", VAULT]).unwrap().error(3).unwrap();
    assert_eq!(error["reason"], "cache-unavailable");
}

/// An authority that refuses the sign-ins of these users, and redeems the others'.
fn refusing(users: &'static [u32]) -> Authority {
    let refusal = json!({
        "error": "interaction_required", "error_description": "AADSTS50076: you must use multi-factor authentication",
        "error_codes": [50076],
    });
    Authority::start(move |request| {
        let is_of = |user: u32| request.form.iter().any(|(_, value)| *value == refresh_token(user));
        match (0..3).find(|user| is_of(*user)) {
            Some(user) if !users.contains(&user) => Reply::json(200, token_reply(user)),
            _ => Reply::json(400, refusal.clone()),
        }
    })
    .unwrap()
}

/// A home like [`both`], whose users are signed in at an authority on this machine and have no token for Microsoft Graph.
fn both_without_a_token() -> Cli {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    cli.write(AZURE_CLI, &document(&[SignIn::new(1, LOCAL)])).unwrap();
    cli
}

fn field(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn auto_falls_through_when_the_sign_in_of_the_shared_cache_is_refused_and_says_whose_token_it_is() {
    let (cli, authority) = (both_without_a_token(), refusing(&[0]));
    let run = cli.redeem(&authority, &[]).unwrap();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((field(&answer, "token"), field(&answer, "source")), (new_access_token(1), "azure-cli".to_owned()));
    for part in ["WARN", &username(0), &username(1), "shared", "azure-cli", "AADSTS50076"] {
        assert!(run.stderr.contains(part), "{part} in {}", run.stderr);
    }
}

#[test]
fn a_cached_token_of_a_later_source_is_not_preferred() {
    let (cli, authority) = (both_without_a_token(), refusing(&[]));
    cli.write(AZURE_CLI, &document(&[SignIn::new(1, LOCAL).access_token(GRAPH)])).unwrap();
    let answer = cli.redeem(&authority, &[]).unwrap().answer().unwrap();
    assert_eq!((field(&answer, "token"), field(&answer, "source")), (new_access_token(0), "shared".to_owned()));
}

#[test]
fn when_every_source_is_refused_the_error_names_each_with_its_account() {
    let (cli, authority) = (both_without_a_token(), refusing(&[0, 1]));
    let error = cli.redeem(&authority, &[]).unwrap().error(4).unwrap();
    assert_eq!(field(&error, "kind"), "client-authentication");
    assert_eq!(error["oauth"]["error_codes"], json!([50076]));
    for part in [format!("shared ({})", username(0)), format!("azure-cli ({})", username(1))] {
        assert!(field(&error, "message").contains(&part), "{part} in {error}");
    }
    let sources = error["sources"].as_array().unwrap();
    let listed: Vec<_> = sources.iter().map(|source| (field(source, "source"), field(source, "account"))).collect();
    assert_eq!(listed, [("shared".to_owned(), username(0)), ("azure-cli".to_owned(), username(1))]);
    assert!(sources.iter().all(|source| field(source, "kind") == "client-authentication"), "{error}");
}

#[test]
fn a_refusal_is_reported_although_the_next_source_has_nothing() {
    let (cli, authority) = (both_without_a_token(), refusing(&[0]));
    std::fs::remove_file(cli.home().join(AZURE_CLI)).unwrap();
    let error = cli.redeem(&authority, &[]).unwrap().error(4).unwrap();
    for part in ["AADSTS50076", &format!("shared ({})", username(0)), "azure-cli: ", "msal_token_cache.json"] {
        assert!(field(&error, "message").contains(part), "{part} in {error}");
    }
}

#[test]
fn auto_falls_through_when_the_answer_to_a_sign_in_is_no_token_that_can_be_used() {
    let token = |change: fn(&mut Value)| {
        let mut reply = token_reply(0);
        change(&mut reply);
        Reply::json(200, reply)
    };
    for (reply, part) in [
        (Reply::json(404, json!({})), "status 404"),
        (Reply::json(200, json!([])), "not a JSON object"),
        (token(|reply| (reply["expires_on"], reply["expires_in"]) = (Value::Null, json!(0))), "expired"),
        (token(|reply| reply["token_type"] = json!("pop")), "another type"),
        (token(|reply| reply["padding"] = json!("x".repeat(2 << 20))), "limits.response-kib"),
    ] {
        let first = std::sync::Mutex::new(Some(reply));
        let authority = Authority::start(move |request| {
            let is_of_first = request.form.iter().any(|(_, value)| *value == refresh_token(0));
            match first.lock().unwrap().take().filter(|_| is_of_first) {
                Some(reply) => reply,
                None => Reply::json(200, token_reply(1)),
            }
        })
        .unwrap();
        let cli = both_without_a_token();
        let run = cli.redeem(&authority, &[]).unwrap();
        assert_eq!(run.code, Some(0), "{part}: {}", run.stderr);
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!((field(&answer, "token"), field(&answer, "source")), (new_access_token(1), "azure-cli".to_owned()));
        for part in ["WARN", &username(0), &username(1), "shared", "azure-cli", part] {
            assert!(run.stderr.contains(part), "{part} in {}", run.stderr);
        }
    }
}

#[test]
fn no_other_user_takes_the_place_of_one_whose_authority_can_not_be_reached() {
    let cli = both_without_a_token();
    cli.write(AZURE_CLI, &document(&[SignIn::new(1, LOCAL).access_token(GRAPH)])).unwrap();
    let authority = Authority::start(|_| Reply::json(503, json!({}))).unwrap();
    let error = cli.redeem(&authority, &[]).unwrap().error(6).unwrap();
    for part in [format!("shared ({})", username(0)), "not tried: azure-cli".to_owned()] {
        assert!(field(&error, "message").contains(&part), "{part} in {error}");
    }
}
