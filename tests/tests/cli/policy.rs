//! `--policy`: grants, denials, and parsing.

use std::time::Duration;

use serde_json::json;
use shared_token_cache_tests::cli::{ANYTHING, AZURE_CLI, Authority, Cli, SHARED};
use shared_token_cache_tests::sign_in::{
    GRAPH, LOCAL, SignIn, VAULT, access_token, document, new_access_token, token_reply,
};
use token_endpoint::Reply;

const SHARED_GRANT: &str = "[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read-write\"\n";

fn signed_in() -> std::io::Result<Cli> {
    Cli::with_shared(&document(&[SignIn::new(0, LOCAL).access_token(VAULT)]))
}

/// Writes a policy that allows `authority`, which is on this machine, and ends with `rest`.
fn policy(cli: &Cli, authority: &Authority, rest: &str) -> std::io::Result<String> {
    cli.write("policy.toml", &format!("authorities = [\"{}\"]\n{ANYTHING}{rest}", authority.host()))
}

#[test]
fn granted_actions_succeed() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = signed_in().unwrap();
    let policy = policy(&cli, &authority, SHARED_GRANT).unwrap();
    let answer = cli.redeem(&authority, &["--policy", &policy]).unwrap().answer().unwrap();
    assert_eq!(answer["token"], new_access_token(0).as_str());
    assert!(cli.read(SHARED).unwrap().contains(&new_access_token(0)));
}

#[test]
fn an_authority_that_the_policy_does_not_list_is_denied_though_a_flag_names_it() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = signed_in().unwrap();
    let policy = cli.write("policy.toml", &format!("{ANYTHING}{SHARED_GRANT}")).unwrap();
    let error = cli.redeem(&authority, &["--policy", &policy]).unwrap().error(5).unwrap();
    assert_eq!(error["kind"], "denied");
    assert!(error["reason"].is_null());
    assert!(error["hint"].as_str().unwrap().contains("under `authorities`"), "{error}");
    assert!(authority.requests().is_empty());
}

#[test]
fn a_cache_that_may_only_be_read_is_not_written_and_the_token_arrives_all_the_same() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = signed_in().unwrap();
    let policy = policy(&cli, &authority, &SHARED_GRANT.replace("read-write", "read")).unwrap();
    let (before, files) = (cli.read(SHARED).unwrap(), cli.files().unwrap());
    let run = cli.redeem(&authority, &["--policy", &policy, "--output", "token"]).unwrap();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.stdout, format!("{}\n", new_access_token(0)));
    assert!(run.stderr.contains("WARN") && run.stderr.contains("for reading only"), "{}", run.stderr);
    assert_eq!(cli.read(SHARED).unwrap(), before);
    assert_eq!(cli.files().unwrap(), files);
}

#[test]
fn a_cache_that_the_policy_does_not_grant_is_not_read() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = signed_in().unwrap();
    let azure_cli = SHARED_GRANT.replace("shared", "azure-cli");
    let other_name = SHARED_GRANT.replace("msal.cache", "other.cache");
    for rest in ["", &azure_cli, &other_name] {
        let policy = policy(&cli, &authority, rest).unwrap();
        let run = cli.redeem(&authority, &["--policy", &policy, "--source", "shared"]).unwrap();
        let error = run.error(5).unwrap();
        assert_eq!(error["kind"], "denied", "{rest}");
        assert!(error["hint"].as_str().unwrap().contains("[[caches]]"), "{error}");
    }
}

#[test]
fn a_file_has_to_be_granted_by_its_path() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::new().unwrap();
    let cache = document(&[SignIn::new(0, LOCAL)]);
    let (granted, other) = (cli.write("granted.json", &cache).unwrap(), cli.write("other.json", &cache).unwrap());
    let grant = format!("[[caches]]\nsource = \"file:{granted}\"\naccess = \"read\"\n");
    let policy = policy(&cli, &authority, &grant).unwrap();
    let run = cli.redeem(&authority, &["--policy", &policy, "--source", &format!("file:{other}")]).unwrap();
    let error = run.error(5).unwrap();
    assert_eq!(error["kind"], "denied");
    assert!(error["hint"].as_str().unwrap().contains("[[caches]]"), "{error}");
    let run = cli.redeem(&authority, &["--policy", &policy, "--source", &format!("file:{granted}")]).unwrap();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn an_unknown_policy_field_is_an_invalid_argument() {
    let cli = signed_in().unwrap();
    let policy = cli.write("policy.toml", &format!("scope = [\"*\"]\n{SHARED_GRANT}")).unwrap();
    let error = cli.run(&["get-token", "--scope", VAULT, "--policy", &policy]).unwrap().error(2).unwrap();
    assert_eq!(error["kind"], "invalid-argument");
    assert!(error["message"].as_str().unwrap().contains("1:1: `scope`"), "{error}");
}

#[test]
fn all_problems_of_a_policy_are_reported_at_once() {
    let cli = signed_in().unwrap();
    let text = "authorities = [\"*.contoso.com\"]\n[[caches]]\nsource = \"keyring\"\naccess = \"write\"\n\
                [limits]\ncall-seconds = 0\nrequests = 7\n";
    let policy = cli.write("policy.toml", text).unwrap();
    let error = cli.run(&["get-token", "--scope", VAULT, "--policy", &policy]).unwrap().error(2).unwrap();
    let message = error["message"].as_str().unwrap();
    for place in [
        &policy,
        "`authorities[0]`",
        "`caches[0].source`",
        "`caches[0].access`",
        "`limits.call-seconds`",
        "`limits.requests`",
    ] {
        assert!(message.contains(place), "{place} is missing in {message}");
    }
}

#[test]
fn a_policy_that_is_no_toml_or_not_there_is_an_invalid_argument() {
    let cli = signed_in().unwrap();
    let broken = cli.write("policy.toml", "authorities = [").unwrap();
    let missing = cli.home().join("missing.toml").display().to_string();
    for path in [broken, missing] {
        let error = cli.run(&["get-token", "--scope", VAULT, "--policy", &path]).unwrap().error(2).unwrap();
        assert!(error["message"].as_str().unwrap().contains(&path), "{error}");
    }
}

#[test]
fn a_policy_holds_for_accounts_as_well() {
    let cli = signed_in().unwrap();
    let policy = cli.write("policy.toml", &format!("authorities = [\"localhost\"]\n{ANYTHING}")).unwrap();
    let run = cli.run(&["accounts", "--authority", "localhost", "--policy", &policy, "--output", "json"]).unwrap();
    let error = run.error(5).unwrap();
    assert_eq!(error["kind"], "denied");
    assert!(error["hint"].as_str().unwrap().contains("[[caches]]"), "{error}");
}

#[test]
fn a_source_that_the_policy_denies_passes_on_to_the_next() {
    let cli = Cli::new().unwrap();
    let padding = " ".repeat(1 << 20);
    cli.write(AZURE_CLI, &document(&[SignIn::new(0, LOCAL).access_token(VAULT)])).unwrap();
    let azure_cli = SHARED_GRANT.replace("shared", "azure-cli");
    let run = |policy: &str| {
        let policy = cli.write("policy.toml", &format!("{ANYTHING}{policy}[limits]\ndocument-mib = 1\n")).unwrap();
        cli.run(&["get-token", "--scope", VAULT, "--authority", "localhost", "--policy", &policy]).unwrap()
    };
    assert_eq!(run(&azure_cli).answer().unwrap()["source"], "azure-cli", "the first is denied");
    cli.write(SHARED, &format!("{{}}{padding}")).unwrap();
    let too_large = run(&format!("{SHARED_GRANT}{azure_cli}"));
    assert!(too_large.stdout.contains("\"source\":\"azure-cli\""), "{too_large:?}");
    assert!(
        too_large.stderr.contains("shared has none") && too_large.stderr.contains("limits.document-mib"),
        "{too_large:?}"
    );
}

#[test]
fn a_call_that_takes_longer_than_the_policy_allows_is_ended() {
    let authority = Authority::start(|_| Reply::json(200, token_reply(0)).after(Duration::from_secs(3))).unwrap();
    let cli = signed_in().unwrap();
    let policy = policy(&cli, &authority, &format!("{SHARED_GRANT}[limits]\ncall-seconds = 1\n")).unwrap();
    let error = cli.redeem(&authority, &["--policy", &policy]).unwrap().error(1).unwrap();
    assert_eq!(error["kind"], "limit");
    assert!(error["message"].as_str().unwrap().contains("call-seconds"), "{error}");
}

#[test]
fn a_component_that_needs_more_memory_than_the_policy_allows_is_ended() {
    let cli = signed_in().unwrap();
    let sign_ins: Vec<_> = (0..8_000).map(|number| SignIn::new(number, LOCAL).access_token(VAULT)).collect();
    let path = cli.write("large.json", &document(&sign_ins)).unwrap();
    let limits = |mib: u32| {
        format!(
            "{ANYTHING}[[caches]]\nsource = \"file:{path}\"\naccess = \"read\"\n[limits]\nguest-memory-mib = {mib}\n"
        )
    };
    let source = format!("file:{path}");
    let arguments = ["get-token", "--scope", VAULT, "--authority", "localhost", "--username", "user7@contoso.com"];
    let run = |mib| {
        let policy = cli.write("policy.toml", &limits(mib)).unwrap();
        cli.run(&[&arguments[..], &["--source", &source, "--policy", &policy]].concat()).unwrap()
    };
    assert_eq!(run(256).answer().unwrap()["token"], access_token(7, VAULT).as_str());
    let error = run(4).error(1).unwrap();
    assert_eq!(error["kind"], "limit");
    assert!(error["message"].as_str().unwrap().contains("guest-memory-mib"), "{error}");
}

#[test]
fn a_cache_that_is_larger_than_the_policy_allows_is_not_read() {
    let cli = signed_in().unwrap();
    let padding = " ".repeat(1 << 20);
    cli.write(SHARED, &format!("{{}}{padding}")).unwrap();
    let policy = cli.write("policy.toml", &format!("{ANYTHING}{SHARED_GRANT}[limits]\ndocument-mib = 1\n")).unwrap();
    let error = cli.run(&["get-token", "--scope", VAULT, "--policy", &policy]).unwrap().error(1).unwrap();
    assert_eq!(error["kind"], "limit");
    assert!(error["message"].as_str().unwrap().contains("document-mib"), "{error}");
}

#[test]
fn a_reply_that_is_larger_than_the_policy_allows_is_not_read() {
    let mut reply = token_reply(0);
    reply["padding"] = json!("x".repeat(20_000));
    let authority = Authority::answering(200, reply).unwrap();
    let cli = signed_in().unwrap();
    let policy = policy(&cli, &authority, &format!("{SHARED_GRANT}[limits]\nresponse-kib = 16\n")).unwrap();
    let error = cli.redeem(&authority, &["--policy", &policy]).unwrap().error(1).unwrap();
    assert_eq!(error["kind"], "limit");
    assert!(error["message"].as_str().unwrap().contains("response-kib"), "{error}");
}

#[test]
fn the_built_in_policy_allows_no_authority_from_a_cache_alone() {
    // The sign-in's authority is named by the cache alone, which grants nothing.
    let cli = signed_in().unwrap();
    let error = cli.run(&["get-token", "--scope", GRAPH]).unwrap().error(3).unwrap();
    assert_eq!(error["reason"], "no-accounts");
}
