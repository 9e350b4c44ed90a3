//! Forms of a token for the programs that read it, and shorter ways to ask for one.
#![expect(clippy::unwrap_used, reason = "a home that cannot be made is a failed test")]

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{ANYTHING, Authority, Cli, Run};
use shared_token_cache_tests::home::now;
use shared_token_cache_tests::sign_in::{
    FAR, GRAPH, LOCAL, PUBLIC, SignIn, VAULT, access_token, document, new_access_token, tenant, token_reply,
};

const ARM: &str = "https://management.azure.com/.default";

fn signed_in() -> Cli {
    Cli::with_shared(&document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])).unwrap()
}

fn printed(cli: &Cli, form: &str, more: &[&str]) -> Run {
    let mut arguments = vec!["get-token", "--scope", VAULT, "--output", form];
    arguments.extend(more);
    cli.run(&arguments).unwrap()
}

#[test]
fn a_resource_and_a_preset_are_asked_as_scopes() {
    let rows = [
        (&["--resource", "https://vault.azure.net"][..], VAULT),
        (&["--resource", "https://management.core.windows.net/"], "https://management.core.windows.net//.default"),
        (&["--resource", "499b84ac-1321-427f-aa17-267ca6975798"], "499b84ac-1321-427f-aa17-267ca6975798/.default"),
        (&["--preset", "arm"], ARM),
        (&["--preset", "graph"], "https://graph.microsoft.com/.default"),
        (&["--preset", "vault"], VAULT),
        (&["--preset", "storage"], "https://storage.azure.com/.default"),
        (&["--preset", "devops"], "499b84ac-1321-427f-aa17-267ca6975798/.default"),
        (&["--preset", "openai"], "https://cognitiveservices.azure.com/.default"),
        (&["--preset", "foundry"], "https://ai.azure.com/.default"),
        (&["--preset", "acr"], "https://containerregistry.azure.net/.default"),
        (&["--preset", "postgres"], "https://ossrdbms-aad.database.windows.net/.default"),
        (&["--preset", "mysql"], "https://ossrdbms-aad.database.windows.net/.default"),
        (&["--preset", "aks"], "6dae42f8-4368-4678-94ff-3960e28e3630/.default"),
    ];
    for (arguments, scope) in rows {
        let cli = Cli::with_shared(&document(&[SignIn::new(0, PUBLIC).access_token(scope)])).unwrap();
        let answer = cli.run(&[&["get-token"], arguments].concat()).unwrap().answer().unwrap();
        assert_eq!(answer["token"], access_token(0, scope).as_str(), "{arguments:?}");
    }
}

#[test]
fn a_call_names_what_it_wants_in_one_way() {
    for arguments in [
        &["get-token"][..],
        &["get-token", "--scope", VAULT, "--resource", "https://vault.azure.net"],
        &["get-token", "--scope", VAULT, "--preset", "vault"],
        &["get-token", "--resource", "https://vault.azure.net", "--preset", "vault"],
        &["get-token", "--preset", "nonsense"],
        &["get-token", "--profile", "arm"],
    ] {
        let run = signed_in().run(arguments).unwrap();
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}");
    }
}

#[test]
fn a_profile_says_all_about_its_token() {
    let authority = Authority::answering(200, token_reply(1)).unwrap();
    let cli = Cli::new().unwrap();
    let tokens = document(&[SignIn::new(0, LOCAL), SignIn::new(1, LOCAL)]);
    cli.write("tokens.json", &tokens).unwrap();
    let source = cli.home().join("tokens.json").canonicalize().unwrap();
    let policy = format!(
        "authorities = [\"{}\"]\n{ANYTHING}[[caches]]\nsource = \"file:{source}\"\naccess = \"read-write\"\n\
         [[profiles]]\nname = \"arm\"\nsource = \"file:{source}\"\naccount = \"user1@contoso.com\"\nscopes = [\"{ARM}\"]\n\
         tenant = \"contoso.com\"\n",
        authority.host(),
        source = source.display(),
    );
    let policy = cli.write("policy.toml", &policy).unwrap();
    let (host, ca_file) = (authority.host(), authority.ca_file());
    let profile = |name: &str, more: &[&str]| {
        let mut arguments = vec!["get-token", "--policy", &policy, "--profile", name];
        arguments.extend(["--authority", &host, "--ca-file", &ca_file]);
        arguments.extend(more);
        cli.run(&arguments).unwrap()
    };
    assert_eq!(profile("arm", &[]).answer().unwrap()["token"], new_access_token(1).as_str());
    let requests = authority.requests();
    assert_eq!(requests[0].path, "/contoso.com/oauth2/v2.0/token");
    assert_eq!(requests[0].field("scope"), Some(ARM));

    let error = profile("vault", &[]).error(2).unwrap();
    assert!(error["message"].as_str().unwrap().contains("its profiles: arm"), "{error}");
    for more in [
        &["--username", "user0@contoso.com"][..],
        &["--tenant-id", "contoso.com"],
        &["--request-tenant", "contoso.com"],
        &["--source", "azure-cli"],
        &["--client-id", "00000000-0000-0000-0000-000000000000"],
    ] {
        assert_eq!(profile("arm", more).code, Some(2), "{more:?}");
    }
}

#[test]
fn the_azure_cli_s_form_has_both_times_and_local_time_is_that_of_date() {
    for zone in [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT,M3.2.0,M11.1.0",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "JST-9",
        "No/Such",
        "",
    ] {
        let mut cli = signed_in();
        cli.set("TZ", zone);
        let run = printed(&cli, "az", &["--tenant-id", &tenant(0)]);
        let arguments = ["-d", &format!("@{FAR}"), "+%Y-%m-%d %H:%M:%S.000000"];
        let date = Command::new("date").env("TZ", zone).args(arguments).output().unwrap();
        let expected = json!({
            "accessToken": access_token(0, VAULT),
            "expiresOn": String::from_utf8(date.stdout).unwrap().trim(),
            "expires_on": FAR,
            "tenant": tenant(0),
            "tokenType": "Bearer",
        });
        let answer: Value = match run.code {
            Some(0) => serde_json::from_str(&run.stdout).unwrap(),
            _ => panic!("{run:?}"),
        };
        assert_eq!(answer, expected, "{zone}");
        // By this text the SDKs find a token that must not be in an error.
        assert!(run.stdout.contains("\"accessToken\": \""), "{}", run.stdout);
    }
}

#[test]
fn the_azure_developer_cli_s_form_has_one_time_without_a_fraction() {
    let run = printed(&signed_in(), "azd", &[]);
    let expected = json!({ "token": access_token(0, VAULT), "expiresOn": "2100-01-01T00:00:00Z" });
    assert_eq!(run.answer().unwrap(), expected);
    assert!(run.stdout.contains("\"token\": \""), "{}", run.stdout);
}

#[test]
fn an_exec_credential_has_the_version_that_kubernetes_asks_for() {
    for version in ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"] {
        let mut cli = signed_in();
        let info = json!({ "kind": "ExecCredential", "apiVersion": version, "spec": { "interactive": false } });
        cli.set("KUBERNETES_EXEC_INFO", &info.to_string());
        let expected = json!({
            "kind": "ExecCredential",
            "apiVersion": version,
            "spec": { "interactive": false },
            "status": { "token": access_token(0, VAULT), "expirationTimestamp": "2100-01-01T00:00:00Z" },
        });
        assert_eq!(printed(&cli, "exec-credential", &[]).answer().unwrap(), expected);
    }
    let mut cli = signed_in();
    cli.set("KUBERNETES_EXEC_INFO", r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v2"}"#);
    let run = printed(&cli, "exec-credential", &[]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("client.authentication.k8s.io/v1"), "{}", run.stderr);
}

#[test]
fn a_variable_is_set_by_a_shell_that_reads_the_line() {
    for (more, name) in [(&[][..], "AZURE_ACCESS_TOKEN"), (&["--variable", "PGPASSWORD"], "PGPASSWORD")] {
        let cli = signed_in();
        let run = printed(&cli, "env", more);
        let mut shell = cli.command("/bin/sh".as_ref());
        let script = format!("export {}; printf %s \"${name}\"", run.stdout.trim_end());
        let output = shell.args(["-c", &script]).stdin(Stdio::null()).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), access_token(0, VAULT));
    }
    for (form, name) in [("env", "A B"), ("token", "A")] {
        assert_eq!(printed(&signed_in(), form, &["--variable", name]).code, Some(2), "{form} {name}");
    }
}

#[test]
fn a_token_that_a_shell_would_act_on_is_no_variable() {
    let token = SignIn::new(0, PUBLIC).access_token_with(VAULT, json!({ "secret": "at-$(made-up)" }));
    let run = printed(&Cli::with_shared(&document(&[token])).unwrap(), "env", &[]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("--output token") && !run.stderr.contains("made-up"), "{}", run.stderr);
}

#[test]
fn terraform_is_another_name_for_strings() {
    let cli = signed_in();
    assert_eq!(printed(&cli, "terraform", &[]).stdout, printed(&cli, "strings", &[]).stdout);
}

/// A sign-in at an authority on this machine with a token that lives for so many seconds.
fn token_that_lives(seconds: u64) -> String {
    let expires_on = (now() + seconds).to_string();
    let fields = json!({ "expires_on": expires_on, "extended_expires_on": expires_on });
    document(&[SignIn::new(0, LOCAL).access_token_with(GRAPH, fields)])
}

#[test]
fn a_token_that_lives_shorter_than_asked_is_renewed() {
    for (lives, asked, renewed) in
        [(3000, "60m", true), (3000, "40m", false), (3000, "1h", true), (3000, "2000s", false)]
    {
        let authority = Authority::answering(200, token_reply(0)).unwrap();
        let cli = Cli::with_shared(&token_that_lives(lives)).unwrap();
        let answer = cli.redeem(&authority, &["--min-validity", asked]).unwrap().answer().unwrap();
        let expected = if renewed { new_access_token(0) } else { access_token(0, GRAPH) };
        assert_eq!(answer["token"], expected, "{asked}");
        assert_eq!(authority.requests().len(), usize::from(renewed), "{asked}");
    }
}

#[test]
fn a_new_token_that_lives_shorter_than_asked_is_not_printed() {
    let mut reply = token_reply(0);
    reply.as_object_mut().unwrap().remove("expires_on");
    let authority = Authority::answering(200, reply).unwrap();
    let cli = Cli::with_shared(&token_that_lives(600)).unwrap();
    let run = cli.redeem(&authority, &["--min-validity", "2h", "--output", "token"]).unwrap();
    assert!(run.code.is_some_and(|code| code != 0) && run.stdout.is_empty(), "{run:?}");
    assert!(run.stderr.contains("7200 s"), "{}", run.stderr);
    assert_eq!(authority.requests().len(), 1);
    for asked in ["60", "1.5h", "-1m", "30d", ""] {
        let asked = format!("--min-validity={asked}");
        assert_eq!(cli.redeem(&authority, &[&asked]).unwrap().code, Some(2), "{asked}");
    }
}
