//! Errors: exit codes 1 and 3 to 6, as JSON and as text.

use serde_json::json;
use shared_token_cache_tests::cli::{ANYTHING, AZURE_CLI, Authority, Cli, SHARED};
use shared_token_cache_tests::sign_in::{
    GRAPH, LOCAL, PUBLIC, SignIn, VAULT, document, new_access_token, refresh_token, token_reply, username,
};
use token_endpoint::Reply;

const GET: [&str; 3] = ["get-token", "--scope", VAULT];

fn signed_in() -> std::io::Result<Cli> {
    Cli::with_shared(&document(&[SignIn::new(0, LOCAL)]))
}

fn two() -> std::io::Result<Cli> {
    Cli::with_shared(&document(&[0, 1].map(|number| SignIn::new(number, PUBLIC).access_token(VAULT))))
}

#[test]
fn an_error_is_a_json_object_with_kind_reason_message_and_oauth() {
    let cli = Cli::new().unwrap();
    let error = cli.run(&GET).unwrap().error(3).unwrap();
    let fields: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["kind", "message", "oauth", "reason", "sources"]);
    assert_eq!(error["kind"], "credential-unavailable");
    assert_eq!(error["reason"], "no-accounts");
    assert!(error["message"].as_str().unwrap().contains("sign in"), "{error}");
    assert!(error["oauth"].is_null());
}

#[test]
fn an_error_is_text_where_the_output_is_not_json() {
    let cli = Cli::new().unwrap();
    for output in ["token", "header"] {
        let run = cli.run(&[&GET[..], &["--output", output]].concat()).unwrap();
        assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
        assert!(
            run.stderr.starts_with("shared-token-cache: no source has a token: shared: there is no file "),
            "{}",
            run.stderr
        );
        assert_eq!(run.stderr.lines().count(), 1);
    }
}

#[test]
fn several_accounts_are_listed_as_json() {
    let error = two().unwrap().run(&GET).unwrap().error(3).unwrap();
    assert_eq!(error["reason"], "multiple-accounts");
    let expected = json!([
        { "username": "user0@contoso.com", "home_tenant_id": "utid-00000000" },
        { "username": "user1@contoso.com", "home_tenant_id": "utid-00000001" },
    ]);
    assert_eq!(error["candidates"], expected);
}

#[test]
fn several_accounts_are_listed_as_text() {
    let run = two().unwrap().run(&[&GET[..], &["--output", "token"]].concat()).unwrap();
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
    for line in ["user0@contoso.com, home tenant utid-00000000", "user1@contoso.com, home tenant utid-00000001"] {
        assert!(run.stderr.lines().any(|said| said.trim_end().ends_with(line)), "{}", run.stderr);
    }
}

#[test]
fn several_matching_accounts_are_listed() {
    let same_name = document(&[0, 1].map(|number| SignIn::new(number, PUBLIC))).replace(&username(1), &username(0));
    let cli = Cli::with_shared(&same_name).unwrap();
    let error = cli.run(&[&GET[..], &["--username", &username(0)]].concat()).unwrap().error(3).unwrap();
    assert_eq!(error["reason"], "multiple-matching-accounts");
    assert_eq!(error["candidates"].as_array().unwrap().len(), 2);
}

#[test]
fn an_account_that_is_not_there_is_named() {
    let run = two().unwrap().run(&[&GET[..], &["--username", "user7@contoso.com"]].concat()).unwrap();
    let error = run.error(3).unwrap();
    assert_eq!(error["reason"], "no-matching-account");
    assert!(error["message"].as_str().unwrap().contains("user7@contoso.com"), "{error}");
}

#[test]
fn an_account_without_any_token_is_named() {
    let cache = document(&[SignIn::new(0, PUBLIC)]).replace(&refresh_token(0), "");
    let error = Cli::with_shared(&cache).unwrap().run(&GET).unwrap().error(3).unwrap();
    assert_eq!(error["reason"], "no-token");
    assert!(error["message"].as_str().unwrap().contains(&username(0)), "{error}");
}

#[test]
fn a_damaged_cache_is_reported_with_its_place_and_left_as_it_is() {
    let damaged = "{\n  \"Account\": [}\n";
    let cli = Cli::with_shared(damaged).unwrap();
    let error = cli.run(&[&GET[..], &["--source", "shared"]].concat()).unwrap().error(3).unwrap();
    assert_eq!(error["reason"], "cache-corrupt");
    assert!(error["message"].as_str().unwrap().contains("line 2"), "{error}");
    assert_eq!(cli.read(SHARED).unwrap(), damaged);
}

#[test]
fn of_two_sources_the_one_that_came_closer_is_reported() {
    let cli = Cli::new().unwrap();
    cli.write(AZURE_CLI, "[]").unwrap();
    assert_eq!(cli.run(&GET).unwrap().error(3).unwrap()["reason"], "cache-corrupt");
}

#[test]
fn a_reply_whose_token_can_not_be_used_is_unexpected_and_its_refresh_token_is_stored() {
    for (member, value, part) in [
        ("expires_in", json!(0), "has expired already"),
        ("expires_in", json!(-5), "no usable lifetime"),
        ("expires_on", json!(1), "has expired already"),
        ("token_type", json!("pop"), "another type than Bearer"),
        ("access_token", json!(""), "no access token"),
    ] {
        let mut reply = token_reply(0);
        reply["expires_on"].take();
        reply[member] = value;
        reply["refresh_token"] = json!("rt-rotated");
        let authority = Authority::answering(200, reply).unwrap();
        let cli = signed_in().unwrap();
        let error = cli.redeem(&authority, &["--source", "shared"]).unwrap().error(4).unwrap();
        assert_eq!(
            (&error["kind"], &error["reason"]),
            (&json!("client-authentication"), &json!("unexpected-response"))
        );
        assert!(error["message"].as_str().unwrap().contains(part), "{part}: {error}");
        let cache = cli.read(SHARED).unwrap();
        // As in a cache that was only signed in to.
        let sections = signed_in().unwrap().read(SHARED).unwrap().matches("\"AccessToken\"").count();
        assert!(cache.contains("\"rt-rotated\"") && !cache.contains(&refresh_token(0)), "{part}: {cache}");
        assert_eq!(cache.matches("\"AccessToken\"").count(), sections, "{part}: {cache}");
    }
    let mut reply = token_reply(0);
    (reply["token_type"], reply["refresh_token"]) = (json!("Bearer "), json!("rt-rotated"));
    let authority = Authority::answering(200, reply).unwrap();
    let cli = signed_in().unwrap();
    assert!(cli.redeem(&authority, &["--source", "shared"]).unwrap().answer().is_ok());
    assert!(cli.read(SHARED).unwrap().contains("\"rt-rotated\""));
}

#[test]
fn a_token_for_another_resource_than_the_policy_allows_is_thrown_away_and_the_refresh_token_kept() {
    let mut reply = token_reply(0);
    reply["scope"] = json!("https://storage.azure.com/user_impersonation");
    reply["refresh_token"] = json!("rt-rotated");
    let authority = Authority::answering(200, reply).unwrap();
    let grant = "[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read-write\"\n";
    for (scopes, served) in [(format!("\"{GRAPH}\""), false), ("\"*\"".to_owned(), true)] {
        let anything = ANYTHING.replace("\"*\"]\ntenants", &format!("{scopes}]\ntenants"));
        let policy = format!("authorities = [\"{}\"]\n{anything}{grant}", authority.host());
        let cli = signed_in().unwrap();
        let path = cli.write("policy.toml", &policy).unwrap();
        let run = cli.redeem(&authority, &["--source", "shared", "--policy", &path]).unwrap();
        let cache = cli.read(SHARED).unwrap();
        assert!(cache.contains("\"rt-rotated\""), "{run:?}: {cache}");
        if served {
            assert_eq!(run.answer().unwrap()["token"], new_access_token(0).as_str());
            continue;
        }
        let error = run.error(4).unwrap();
        assert_eq!(error["reason"], "unexpected-response");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("https://storage.azure.com/user_impersonation"), "{message}");
        assert!(!cache.contains(&new_access_token(0)), "{cache}");
    }
}

#[test]
fn an_error_that_quotes_the_refresh_token_is_judged_by_its_code_and_reported_without_it() {
    let quoting = |place: &str| {
        let mut body = json!({
            "error": "invalid_grant", "error_description": "AADSTS700082: expired", "error_codes": [700_082],
        });
        body[place] = json!(format!("AADSTS700082: token {} expired", refresh_token(0)));
        body
    };
    for place in ["error_description", "trace_id"] {
        let authority = Authority::answering(400, quoting(place)).unwrap();
        let cli = signed_in().unwrap();
        let run = cli.redeem(&authority, &["--source", "shared"]).unwrap();
        assert!(!run.stderr.contains(&refresh_token(0)) && !run.stdout.contains(&refresh_token(0)), "{run:?}");
        let error = run.error(4).unwrap();
        assert_eq!(error["reason"], "oauth-error");
        assert_eq!((&error["class"], &error["oauth"]["error_codes"]), (&json!("dead-grant"), &json!([700_082])));
        assert!(error["message"].as_str().unwrap().contains("AADSTS700082"), "{error}");
    }
    let authority = Authority::start(move |request| {
        let is_of_first = request.form.iter().any(|(_, value)| *value == refresh_token(0));
        if is_of_first { Reply::json(400, quoting("error_description")) } else { Reply::json(200, token_reply(1)) }
    })
    .unwrap();
    let cli = signed_in().unwrap();
    cli.write(AZURE_CLI, &document(&[SignIn::new(1, LOCAL)])).unwrap();
    let run = cli.redeem(&authority, &[]).unwrap();
    assert!(run.stdout.contains("\"source\":\"azure-cli\""), "{run:?}");
    assert!(run.stderr.contains("AADSTS700082: token [secret] expired"), "{run:?}");
}

#[test]
fn a_warning_of_a_write_names_the_place_and_not_the_name_of_the_contract() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = Cli::new().unwrap();
    cli.write(AZURE_CLI, &document(&[SignIn::new(0, LOCAL)])).unwrap();
    let grant = "[[caches]]\nsource = \"azure-cli\"\naccess = \"read\"\n";
    let policy = format!("authorities = [\"{}\"]\n{ANYTHING}{grant}", authority.host());
    let path = cli.write("policy.toml", &policy).unwrap();
    let run = cli.redeem(&authority, &["--source", "azure-cli", "--policy", &path]).unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    let line = run.stderr.lines().find(|line| line.contains("was not updated")).unwrap();
    assert!(line.contains("component: the file ") && line.contains("msal_token_cache.json was not updated"), "{line}");
}

#[test]
fn an_account_under_an_environment_with_a_port_is_not_said_to_need_that_authority() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, "localhost:8443")])).unwrap();
    let arguments = [&GET[..], &["--source", "shared", "--authority", "localhost:8443"]].concat();
    let error = cli.run(&arguments).unwrap().error(3).unwrap();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("localhost:8443") && message.contains("has a port"), "{message}");
    assert!(!message.contains("select that with"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_path_that_can_not_hold_a_cache_is_reported_with_its_kind() {
    let mut cli = Cli::new().unwrap();
    let file = cli.write("file", "").unwrap();
    cli.set("HOME", &file);
    let error = cli.run(&[&GET[..], &["--source", "shared"]].concat()).unwrap().error(3).unwrap();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("Not a directory") && !message.contains("only signals changes"), "{message}");

    let cli = Cli::new().unwrap();
    std::fs::create_dir_all(cli.home().join(AZURE_CLI)).unwrap();
    let error = cli.run(&[&GET[..], &["--source", "azure-cli"]].concat()).unwrap().error(3).unwrap();
    assert!(error["message"].as_str().unwrap().contains("is a folder, not a regular file; move it away"), "{error}");
}

#[test]
fn an_error_about_a_scope_without_a_permission_ends_with_the_likely_fix() {
    let arguments = ["get-token", "--scope", "https://management.azure.com", "--output"];
    let fix = "try `--scope https://management.azure.com/.default`";
    let run = two().unwrap().run(&[&arguments[..], &["token"]].concat()).unwrap();
    let last = run.stderr.lines().last().unwrap();
    assert!(last.starts_with("shared-token-cache: hint: ") && last.ends_with(fix), "{run:?}");
    let run = two().unwrap().run(&[&arguments[..], &["json"]].concat()).unwrap();
    assert!(run.error(3).unwrap()["hint"].as_str().unwrap().ends_with(fix), "{run:?}");
}

#[test]
fn a_refusal_of_the_authority_is_reported_in_full() {
    let body = json!({
        "error": "invalid_grant",
        "suberror": "basic_action",
        "error_description": "AADSTS50076: use multi-factor authentication.",
        "error_codes": [50076],
        "claims": "{\"access_token\":{\"capolids\":{\"essential\":true}}}",
        "correlation_id": "6d0ac43f-5b8d-4c9b-9c9e-4f6b0d6f0c53",
    });
    let authority = Authority::answering(400, body.clone()).unwrap();
    let error = signed_in().unwrap().redeem(&authority, &[]).unwrap().error(4).unwrap();
    assert_eq!(error["kind"], "client-authentication");
    assert_eq!(error["reason"], "oauth-error");
    assert_eq!(error["oauth"], body);
    assert!(error["message"].as_str().unwrap().contains("AADSTS50076"), "{error}");
}

#[test]
fn a_refusal_says_null_for_what_the_authority_did_not_say() {
    let authority = Authority::answering(401, json!({ "error": "invalid_client" })).unwrap();
    let error = signed_in().unwrap().redeem(&authority, &[]).unwrap().error(4).unwrap();
    let expected = json!({
        "error": "invalid_client",
        "suberror": null,
        "error_description": null,
        "error_codes": [],
        "claims": null,
        "correlation_id": null,
    });
    assert_eq!(error["oauth"], expected);
}

#[test]
fn an_answer_that_is_no_token_is_unexpected() {
    let authority = Authority::start(|_| Reply::json(200, json!({}))).unwrap();
    let error = signed_in().unwrap().redeem(&authority, &[]).unwrap().error(4).unwrap();
    assert_eq!(error["reason"], "unexpected-response");
    assert!(error["oauth"].is_null());
}

#[test]
fn a_page_of_a_portal_is_no_answer_of_the_authority() {
    for status in [200, 403] {
        let page = Reply::bytes(status, "text/html", "<p>Sign in to the network</p>");
        let authority = Authority::start(move |_| page.clone()).unwrap();
        let error = signed_in().unwrap().redeem(&authority, &[]).unwrap().error(6).unwrap();
        assert_eq!(error["kind"], "unreachable");
        assert!(error["message"].as_str().unwrap().contains("a proxy or portal seems to answer"), "{error}");
    }
}

#[test]
fn a_token_of_another_account_is_not_accepted() {
    let authority = Authority::answering(200, token_reply(1)).unwrap();
    let cli = signed_in().unwrap();
    let before = cli.read(SHARED).unwrap();
    assert_eq!(cli.redeem(&authority, &[]).unwrap().error(4).unwrap()["reason"], "unexpected-response");
    assert_eq!(cli.read(SHARED).unwrap(), before);
}

#[test]
fn an_authority_with_an_unknown_certificate_is_not_trusted() {
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let cli = signed_in().unwrap();
    let run = cli.run(&["get-token", "--scope", GRAPH, "--authority", &authority.host()]).unwrap();
    let error = run.error(6).unwrap();
    assert_eq!(error["kind"], "unreachable");
    assert!(error["message"].as_str().unwrap().contains("certificate"), "{error}");
    assert!(authority.requests().is_empty());
}

#[test]
fn an_authority_that_does_not_listen_is_unreachable() {
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let host = format!("localhost:{}", closed.port());
    let run = signed_in().unwrap().run(&["get-token", "--scope", GRAPH, "--authority", &host]).unwrap();
    let error = run.error(6).unwrap();
    assert_eq!(error["kind"], "unreachable");
    assert!(error["reason"].is_null());
    assert!(error["message"].as_str().unwrap().contains("localhost"), "{error}");
}

#[test]
fn an_authority_that_asks_to_wait_for_too_long_is_unreachable_at_once() {
    let authority =
        Authority::start(|_| Reply::json(429, json!({ "error": "slow_down" })).header("retry-after", "3600")).unwrap();
    let error = signed_in().unwrap().redeem(&authority, &[]).unwrap().error(6).unwrap();
    assert_eq!(error["kind"], "unreachable");
    assert_eq!(authority.requests().len(), 1);
}

#[test]
fn a_pause_that_the_authority_asks_for_is_reported() {
    let busy = || Reply::json(429, json!({ "error": "temporarily_unavailable" })).header("Retry-After", "3600");
    let authority = Authority::start(move |_| busy()).unwrap();
    let run = signed_in().unwrap().redeem(&authority, &[]).unwrap();
    assert_eq!(run.error(6).unwrap()["retry_after_seconds"], 3600, "{run:?}");
    let run = signed_in().unwrap().redeem(&authority, &["--output", "token"]).unwrap();
    assert!(run.code == Some(6) && run.stderr.contains("3600 s"), "{run:?}");
    assert_eq!(authority.requests().len(), 2, "so long a pause is not waited for");
}
