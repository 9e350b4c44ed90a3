//! `policy check`, `policy show`, `policy schema`.

use serde_json::{Value, json};
use shared_token_cache::policy::{CacheName, Policy};
use shared_token_cache_tests::cli::{Cli, SHARED};
use shared_token_cache_tests::sign_in::{PUBLIC, SignIn, VAULT, access_token, document};

const BROKEN: &str = "authorities = [\"*.contoso.com\"]\n\n[limits]\ncall-seconds = 0\nrequests = 7\n";

#[test]
fn check_reports_every_problem_with_its_place() {
    let cli = Cli::new().unwrap();
    let path = cli.write("policy.toml", BROKEN).unwrap();
    let run = cli.run(&["policy", "check", &path]).unwrap();
    assert_eq!(run.code, Some(2), "{run:?}");
    let lines: Vec<_> = run.stdout.lines().collect();
    for (line, place) in
        lines.iter().zip(["1:16: `authorities[0]`: ", "4:16: `limits.call-seconds`: ", "5:1: `limits.requests`: "])
    {
        assert!(line.starts_with(&format!("{path}:{place}")), "{line}");
    }
    assert_eq!(lines.len(), 3, "{run:?}");
    assert!(run.stderr.is_empty(), "{run:?}");
}

#[test]
fn check_prints_json_where_it_is_asked_to() {
    let cli = Cli::new().unwrap();
    let path = cli.write("policy.toml", "[process]\ncore-dumps = \"maybe\"\n").unwrap();
    let run = cli.run(&["policy", "check", &path, "--output", "json"]).unwrap();
    assert_eq!(run.code, Some(2), "{run:?}");
    let problem = json!({
        "line": 2, "column": 14, "field": "process.core-dumps",
        "what": "\"maybe\" is not known", "instead": "choose `deny` or `allow`",
    });
    assert_eq!(run.stdout.parse::<Value>().unwrap(), json!({ "file": path, "problems": [problem], "warnings": [] }));
}

#[test]
fn check_finds_nothing_wrong_with_a_good_document() {
    let cli = Cli::new().unwrap();
    let path = cli.write("policy.toml", "scopes = [\"*\"]\n").unwrap();
    let run = cli.run(&["policy", "check", &path]).unwrap();
    assert_eq!((run.code, run.stdout), (Some(0), format!("{path}: ok\n")));
    let run = cli.run(&["policy", "check", &path, "--output", "json"]).unwrap();
    assert_eq!(run.code, Some(0));
    assert_eq!(run.stdout.parse::<Value>().unwrap(), json!({ "file": path, "problems": [], "warnings": [] }));
}

#[test]
fn check_warns_of_a_scope_that_allows_nothing_and_finds_the_document_good() {
    let cli = Cli::new().unwrap();
    let path = cli.write("policy.toml", "scopes = [\"https://vault.azure.net\"]\n").unwrap();
    let run = cli.run(&["policy", "check", &path]).unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    let warning = format!("{path}:1:11: warning: `scopes[0]`: ");
    assert!(run.stdout.starts_with(&warning) && run.stdout.ends_with(&format!("{path}: ok\n")), "{run:?}");
    assert!(run.stdout.contains("https://vault.azure.net/.default"), "{run:?}");
    let run = cli.run(&["policy", "check", &path, "--output", "json"]).unwrap();
    let warnings = run.stdout.parse::<Value>().unwrap()["warnings"].take();
    assert_eq!(warnings[0]["field"], "scopes[0]", "{warnings}");
}

#[test]
fn a_document_that_is_not_there_is_an_invalid_argument() {
    let cli = Cli::new().unwrap();
    for arguments in [["policy", "check", "missing.toml"], ["policy", "show", "--policy=missing.toml"]] {
        let run = cli.run(&arguments).unwrap();
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
        assert!(run.stderr.contains("missing.toml"), "{run:?}");
    }
    let run = cli.run(&["policy", "check", "missing.toml", "--output", "json"]).unwrap();
    assert_eq!(run.error(2).unwrap()["kind"], "invalid-argument");
}

#[test]
fn show_prints_the_policy_in_force_as_a_document() {
    let cli = Cli::new().unwrap();
    let show = |more: &[&str]| {
        let run = cli.run(&[&["policy", "show"], more].concat()).unwrap();
        assert_eq!(run.code, Some(0), "{run:?}");
        Policy::from_toml(&run.stdout).unwrap()
    };
    let built_in = Policy::for_current_user(CacheName::default());
    let public = PUBLIC.parse().unwrap();
    // A document can't express which addresses the names of Microsoft's clouds may resolve to.
    assert_eq!(show(&[]), Policy::from_toml(&built_in.clone().allow_authority(public).to_toml()).unwrap());
    assert!(
        show(&["--authority", "login.contoso.com"])
            .token_endpoint("https://login.contoso.com/t/oauth2/v2.0/token")
            .is_ok()
    );
    assert!(show(&["--cache-name", "other"]).to_toml() != built_in.to_toml());

    let text = "tenants = [\"contoso.com\"]\n[limits]\ncall-seconds = 7\n";
    let path = cli.write("policy.toml", text).unwrap();
    assert_eq!(show(&["--policy", &path]), Policy::from_toml(text).unwrap());
    let run = cli.run(&["policy", "show", "--policy", &path, "--cache-name", "other"]).unwrap();
    assert_eq!(run.code, Some(2), "a flag that would change nothing: {run:?}");
    let path = cli.write("policy.toml", BROKEN).unwrap();
    let run = cli.run(&["policy", "show", "--policy", &path]).unwrap();
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("4:16: `limits.call-seconds`"), "{run:?}");
}

#[test]
fn the_output_of_show_is_a_valid_policy() {
    let cli = Cli::new().unwrap();
    let cache = cli.write(SHARED, &document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])).unwrap();
    let source = format!("file:{cache}");
    let shown = cli.run(&["policy", "show", "--source", &source]).unwrap();
    let path = cli.write("policy.toml", &shown.stdout).unwrap();
    let arguments = ["get-token", "--scope", VAULT, "--source", &source, "--policy", &path];
    assert_eq!(cli.run(&arguments).unwrap().answer().unwrap()["token"], access_token(0, VAULT).as_str());
}

#[test]
fn a_denial_names_its_hint() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])).unwrap();
    let path = cli.write("policy.toml", "client-ids = [\"*\"]\n").unwrap();
    let error = cli.run(&["get-token", "--scope", VAULT, "--policy", &path]).unwrap().error(5).unwrap();
    assert_eq!(error["kind"], "denied");
    assert_eq!(error["hint"], "list it under `scopes`");
    assert!(error["message"].as_str().unwrap().contains(VAULT), "{error}");
}

#[test]
fn schema_prints_the_json_schema() {
    let run = Cli::new().unwrap().run(&["policy", "schema"]).unwrap();
    assert_eq!(run.code, Some(0));
    let schema: Value = run.stdout.parse().unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["properties"]["component-sha256"].is_object());
}
