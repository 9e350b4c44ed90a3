//! `doctor`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{ANYTHING, AZURE_CLI, Authority, Cli, Run, SHARED, SHARED_CAE};
use shared_token_cache_tests::sign_in::{LOCAL, SignIn, VAULT, document};

/// An authority whose `Date` header is compared with the clock; its error does not matter here.
fn authority() -> io::Result<Authority> {
    Authority::answering(400, json!({ "error": "invalid_request" }))
}

fn doctor(cli: &Cli, authority: &Authority, more: &[&str]) -> io::Result<Run> {
    let (host, ca_file) = (authority.host(), authority.ca_file());
    let arguments = ["doctor", "--authority", &host, "--ca-file", &ca_file];
    cli.run(&[&arguments[..], more].concat())
}

fn report(cli: &Cli, code: i32) -> io::Result<Value> {
    let run = doctor(cli, &authority()?, &["--output", "json"])?;
    assert_eq!(run.code, Some(code), "{run:?}");
    Ok(serde_json::from_str(&run.stdout)?)
}

/// The findings at a source's place: severity and text, one after the other.
fn findings(place: &Value) -> String {
    let findings = place["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    findings
        .iter()
        .map(|finding| {
            format!("{}: {} | {}\n", text(&finding["severity"]), text(&finding["what"]), text(&finding["next"]))
        })
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn a_healthy_sign_in_is_reported_with_its_numbers() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL).access_token(VAULT)])).unwrap();
    let report = report(&cli, 0).unwrap();
    let place = &report["places"][0];
    assert_eq!(
        (&place["source"], &place["found"], &place["readable"], &place["encrypted"]),
        (&json!("shared"), &json!(true), &json!(true), &json!(false))
    );
    assert_eq!(
        (&place["accounts"], &place["usable_accounts"], &place["usable_refresh_tokens"], &place["access_tokens"]),
        (&json!(1), &json!(1), &json!(1), &json!(1))
    );
    assert_eq!(place["latest_expiry"], json!(4_102_444_800_u64));
    assert!(findings(place).contains("good: one account to use"), "{place}");
    assert!(!findings(place).contains("problem"), "{place}");
    assert!(text(&place["place"]).ends_with(SHARED), "{place}");
    assert_eq!(report["usable"], true);
    assert_eq!(report["authority"]["reachable"], true);
    assert!(report["authority"]["clock_skew_seconds"].as_i64().unwrap().abs() < 60);
}

#[test]
fn text_has_a_line_for_each_finding_and_a_next_step() {
    let cli = Cli::with_shared(&document(&[0, 1].map(|number| SignIn::new(number, LOCAL)))).unwrap();
    let run = doctor(&cli, &authority().unwrap(), &[]).unwrap();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    for part in [
        "\nsource shared\n  cache        file ",
        " bytes, plain text\n",
        "\n  accounts     2, of which 2 usable\n",
        "\n  tokens       2 usable for a refresh, 0 cached access tokens\n",
        "\n  note         2 accounts to choose from\n               hint: Select one with `--username`",
        "\nsource azure-cli\n  cache        file ",
        "\n  note         there is no cache\n               hint: Sign in with `az login`.\n",
        "\n  ok           it answers, and the clocks agree",
    ] {
        assert!(run.stdout.contains(part), "{part:?} in {}", run.stdout);
    }
    assert!(!run.stdout.contains("user0"), "accounts are only counted");
}

#[test]
fn nothing_found_says_how_to_sign_in_and_creates_nothing() {
    let cli = Cli::new().unwrap();
    let report = report(&cli, 3).unwrap();
    assert_eq!(report["usable"], false);
    assert_eq!(report["places"].as_array().unwrap().len(), 2, "the cache for CAE is not worth a word");
    assert!(findings(&report["places"][1]).contains("az login"));
    assert!(cli.files().unwrap().is_empty());
}

#[test]
fn a_damaged_cache_is_a_problem_with_its_place() {
    let cli = Cli::with_shared("{\n  \"Account\": ").unwrap();
    let report = report(&cli, 3).unwrap();
    let found = findings(&report["places"][0]);
    assert!(found.contains("problem: ") && found.contains("line 2") && found.contains("backup"), "{found}");
    assert_eq!(report["places"][0]["readable"], false);
}

#[test]
fn permissions_links_and_foreign_kinds_of_files_are_reported() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    fs::set_permissions(cli.home().join(SHARED), fs::Permissions::from_mode(0o644)).unwrap();
    cli.write("elsewhere.json", "{}").unwrap();
    fs::create_dir(cli.home().join(".azure")).unwrap();
    symlink("../elsewhere.json", cli.home().join(AZURE_CLI)).unwrap();
    let report = report(&cli, 0).unwrap();
    assert!(findings(&report["places"][0]).contains("mode 0644"), "{report}");
    assert!(findings(&report["places"][1]).contains("symbolic link"), "{report}");
    assert_eq!(report["places"][1]["found"], true);
}

#[test]
fn a_lock_is_reported_with_its_holder_and_whether_it_is_stale() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let path = cli.write(&format!("{SHARED}.lockfile"), &format!("{} made-up", std::process::id())).unwrap();
    let held = report(&cli, 0).unwrap();
    assert_eq!(held["places"][0]["lock"]["stale"], false, "{held}");
    assert!(findings(&held["places"][0]).contains("made-up"), "{held}");

    let mut ended = std::process::Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    fs::write(&path, format!("{} made-up", ended.id())).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    let stale = report(&cli, 0).unwrap();
    assert_eq!(stale["places"][0]["lock"]["stale"], true, "{stale}");
    assert!(findings(&stale["places"][0]).contains("left behind"), "{stale}");
    assert!(fs::exists(&path).unwrap(), "doctor only looks");
}

#[test]
fn the_reasons_that_keep_accounts_from_use_are_reported() {
    let client = "1950a258-227b-4e31-a9cf-717495945fc2";
    let mut application: Value = serde_json::from_str(&document(&[])).unwrap();
    application["AccessToken"] = json!({ "application": {
        "credential_type": "AccessToken", "secret": "at-made-up-secret-application", "environment": "localhost",
        "home_account_id": null, "client_id": "application-0", "realm": "utid-00000009", "target": VAULT,
        "expires_on": "4102444800", "cached_at": "1700000000", "token_type": "Bearer",
    } });
    for (document, parts) in [
        (
            document(&[SignIn::new(0, "login.microsoftonline.us")]),
            ["another cloud", "--authority login.microsoftonline.us"],
        ),
        (document(&[SignIn::new(0, LOCAL).client(client)]), ["another client", client]),
        (application.to_string(), ["service principal", "ClientSecretCredential"]),
    ] {
        let report = report(&Cli::with_shared(&document).unwrap(), 3).unwrap();
        let found = findings(&report["places"][0]);
        assert!(parts.iter().all(|part| found.contains(part)), "{parts:?}: {found}");
        assert!(!found.contains("Sign in with"), "the user has signed in: {found}");
        assert_eq!(report["places"][0]["accounts"], 1);
    }
}

#[test]
fn the_cache_for_continuous_access_evaluation_is_reported_where_there_is_one() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    cli.write(SHARED_CAE, &document(&[SignIn::new(0, LOCAL)])).unwrap();
    let report = report(&cli, 0).unwrap();
    let cae: Vec<_> = report["places"].as_array().unwrap().iter().filter(|place| place["cae"] == true).collect();
    assert_eq!(cae.len(), 1, "{report}");
    assert_eq!(cae[0]["accounts"], 1);
}

#[test]
fn an_unreachable_authority_is_reported_and_cached_tokens_still_count() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = cli.run(&["doctor", "--authority", &format!("localhost:{}", closed.port()), "--output", "json"]).unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["authority"]["reachable"], false);
    assert!(findings(&report["authority"]).starts_with("note: "), "{report}");
}

#[test]
fn sources_that_the_policy_denies_are_not_read() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let authority = authority().unwrap();
    let policy = cli
        .write(
            "policy.toml",
            &format!(
                "authorities = [\"{}\"]\n{ANYTHING}[[caches]]\nsource = \"azure-cli\"\nnames = [\"msal.cache\"]\naccess = \"read\"\n",
                authority.host()
            ),
        )
        .unwrap();
    let run = doctor(&cli, &authority, &["--policy", &policy, "--output", "json"]).unwrap();
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["places"][0]["place"], Value::Null);
    assert!(findings(&report["places"][0]).contains("policy does not allow"), "{report}");
}

#[test]
fn a_lock_that_this_user_cannot_take_is_reported_with_its_path_and_the_hint() {
    use shared_token_cache_tests::sign_in::token_reply;
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let path = cli.write(&format!("{SHARED}.lockfile"), "").unwrap();
    let lock = File::options().write(true).open(&path).unwrap();
    lock.set_modified(SystemTime::now() - Duration::from_secs(86_400)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Without root the file stays the user's own, and its mode prevents opening it.
    let is_foreign = std::os::unix::fs::chown(&path, Some(65_533), None).is_ok();
    let cause = if is_foreign { "it belongs to another user (id 65533)" } else { "Permission denied" };
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let start = std::time::Instant::now();
    let run = cli.redeem(&authority, &[]).unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    for part in [path.as_str(), cause, "remove the file", "`chown`"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(start.elapsed() < Duration::from_secs(4), "it is not waited for: {:?}", start.elapsed());

    let report = report(&cli, 0).unwrap();
    let place = &report["places"][0];
    assert_eq!(place["lock"]["stale"], false, "{place}");
    assert!(text(&place["lock"]["problem"]).contains(cause), "{place}");
    let shown = findings(place);
    assert!(shown.contains(&path) && shown.contains(cause) && shown.contains("remove the file"), "{shown}");
    assert!(shown.contains("new tokens are not stored"), "{shown}");
}
