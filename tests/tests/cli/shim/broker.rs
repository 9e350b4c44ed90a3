//! In a sandbox: the environment names a broker.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::agent_session::{KEY, SESSION, VARIABLE};

const HEADER: &str = "made-up-header";
const TENANT: &str = "72f988bf-0000-0000-0000-000000000000";

/// A token whose content names a tenant.
fn token() -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.signature", part(json!({ "alg": "RS256" })), part(json!({ "tid": TENANT })))
}

/// A server in the form of Azure App Service's; sends the head of each request to the test.
fn broker(status: &'static str, body: String) -> (String, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}/some/path", listener.local_addr().unwrap());
    let (sender, heads) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut reader = BufReader::new(client.try_clone().unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 2 {}
            sender.send(head).unwrap();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            (&client).write_all(answer.as_bytes()).unwrap();
        }
    });
    (endpoint, heads)
}

fn granted() -> String {
    json!({ "access_token": token(), "expires_in": "3599", "expires_on": FAR.to_string(), "resource": "x", "token_type": "Bearer" })
        .to_string()
}

/// A sandbox has no sign-in and no Azure CLI, and a proxy that must not see the broker's header.
fn sandbox(endpoint: &str) -> World {
    let mut world = World::signed_in();
    fs::remove_dir_all(world.cli.home().join(".azure")).unwrap();
    for (name, value) in [("IDENTITY_ENDPOINT", endpoint), ("IDENTITY_HEADER", HEADER)] {
        world.cli.set(name, value);
    }
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY"] {
        world.cli.set(name, "http://127.0.0.1:9");
    }
    world
}

#[test]
fn the_broker_is_asked_for_the_resource() {
    let (endpoint, heads) = broker("200 OK", granted());
    let world = sandbox(&endpoint);
    for (line, resource) in [
        (
            "az account get-access-token --output json --resource https://vault.azure.net",
            "https%3A%2F%2Fvault.azure.net",
        ),
        (
            "az account get-access-token -o json --scope https://vault.azure.net/.default",
            "https%3A%2F%2Fvault.azure.net",
        ),
        ("az account get-access-token", "https%3A%2F%2Fmanagement.core.windows.net%2F"),
    ] {
        let answer = world.answer(line);
        assert_eq!((&answer["accessToken"], &answer["expires_on"]), (&json!(token()), &json!(FAR)), "{line}");
        let head = heads.recv().unwrap().to_ascii_lowercase();
        let first =
            format!("get /some/path?api-version=2019-08-01&resource={} http/1.1", resource.to_ascii_lowercase());
        assert_eq!(head.lines().next(), Some(first.as_str()));
        assert!(head.contains(&format!("x-identity-header: {HEADER}")), "{head}");
    }
    let answer = world.answer("azd auth token --output json --no-prompt --scope https://vault.azure.net/.default");
    assert_eq!(answer, json!({ "token": token(), "expiresOn": "2100-01-01T00:00:00Z" }));
    assert_eq!(world.run("ado-auth-helper get-access-token").stdout, format!("{}\n", token()));
}

#[test]
fn in_an_agent_session_the_broker_has_to_say_that_its_token_is_of_it() {
    for (status, code) in [
        ("200 OK", 1),
        ("200 OK\r\nX-Agent-Session: another", 1),
        ("200 OK\r\nX-Agent-Session: a_wxrlctbxdsd5iia6yf4cmrroepxpa2p6-z0ue8qvo", 0),
        ("200 OK\r\nX-Agent-Session: off", 0),
    ] {
        let (endpoint, heads) = broker(status, granted());
        let mut world = sandbox(&endpoint);
        world.cli.set(VARIABLE, SESSION);
        let run = world.run("az account get-access-token");
        assert_eq!((run.code, run.stdout.contains(&token())), (Some(code), code == 0), "{status}: {run:?}");
        assert_eq!(run.stderr.contains(VARIABLE), code == 1, "{status}: {run:?}");
        let head = heads.recv().unwrap();
        assert!(head.contains(&format!("x-agent-session: {KEY}")) && !head.contains(SESSION), "{head}");
    }
    let (endpoint, heads) = broker("200 OK", granted());
    let mut world = sandbox(&endpoint);
    world.cli.set(VARIABLE, "a b");
    let run = world.run("az account get-access-token");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    assert!(heads.try_recv().is_err(), "nothing was sent");
}

#[test]
fn a_token_of_another_tenant_is_not_handed_out() {
    let (endpoint, _heads) = broker("200 OK", granted());
    let world = sandbox(&endpoint);
    let line = |tenant: &str| format!("az account get-access-token --tenant {tenant}");
    assert_eq!(world.answer(&line(&TENANT.to_ascii_uppercase()))["accessToken"], token());
    let run = world.run(&line("72f988bf-0000-0000-0000-000000000001"));
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains(TENANT), "{}", run.stderr);
}

#[test]
fn what_the_broker_cannot_be_asked_is_refused() {
    let (endpoint, heads) = broker("200 OK", granted());
    let world = sandbox(&endpoint);
    for line in [
        "az account get-access-token --scope a/.default b/.default",
        "az account get-access-token --scope User.Read",
        "azd auth token --scope a/.default --claims e30=",
    ] {
        let run = world.run(line);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{line}");
        assert!(run.stderr.contains("broker"), "{}", run.stderr);
    }
    assert!(heads.try_recv().is_err(), "nothing was sent");
}

#[test]
fn an_answer_that_is_no_token_is_not_handed_out() {
    let answer = |token: &str, expires_on: u64| {
        json!({ "access_token": token, "expires_on": expires_on.to_string(), "token_type": "Bearer" }).to_string()
    };
    for (token, expires_on, tenant) in [
        ("a\nb", FAR, ""),
        ("", FAR, ""),
        ("opaque", 1000, ""),
        ("opaque", FAR, " --tenant 72f988bf-0000-0000-0000-000000000001"),
    ] {
        let (endpoint, _heads) = broker("200 OK", answer(token, expires_on));
        let run = sandbox(&endpoint).run(&format!("az account get-access-token{tenant}"));
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{token:?} {expires_on} {tenant}");
    }
    // A domain cannot be compared, so the answer names the tenant that the token says.
    let (endpoint, _heads) = broker("200 OK", granted());
    assert_eq!(sandbox(&endpoint).answer("az account get-access-token --tenant contoso.com")["tenant"], TENANT);
}

#[test]
fn a_refusal_of_the_broker_is_passed_on_in_one_line() {
    let (endpoint, _heads) = broker(
        "403 Forbidden",
        json!({ "statusCode": 403, "message": format!("not \u{1b}[2J allowed {HEADER}") }).to_string(),
    );
    let world = sandbox(&endpoint);
    let run = world.run("az account get-access-token");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("status 403") && run.stderr.contains("allowed"), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains(HEADER), "{}", run.stderr);

    let world = sandbox("http://127.0.0.1:9/");
    let run = world.run("az account get-access-token");
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("cannot reach the broker"), "{}", run.stderr);
}

#[test]
fn a_sandbox_says_its_subscription_in_the_environment() {
    let mut world = sandbox("http://127.0.0.1:9/");
    let run = world.run("az account show -o=json");
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("az login") && run.stderr.contains("AZURE_SUBSCRIPTION_ID"), "{}", run.stderr);
    world.cli.set("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION);
    world.cli.set("AZURE_TENANT_ID", TENANT);
    let account = world.answer("az account show -o=json");
    assert_eq!((&account["id"], &account["tenantId"]), (&json!(SUBSCRIPTION), &json!(TENANT)));
}

#[test]
fn the_endpoint_of_run_is_such_a_broker() {
    let world = World::signed_in();
    let program = program().unwrap();
    for (line, expected) in [
        (
            "az account get-access-token --resource https://vault.azure.net --query accessToken -o tsv",
            access_token(0, VAULT),
        ),
        ("azd auth token --scope https://vault.azure.net/.default", access_token(0, VAULT)),
    ] {
        // Inside there is no sign-in: the folder of the Azure CLI is another one.
        let inside = format!("AZURE_CONFIG_DIR=/none {line}");
        let run = world
            .run(&format!("{} run --source azure-cli --scope {VAULT} -- /bin/sh -c '{inside}'", program.display()));
        assert_eq!((run.code, run.stdout), (Some(0), format!("{expected}\n")), "{line}: {}", run.stderr);
    }
}

#[test]
fn the_link_of_a_preset_asks_the_broker() {
    let (endpoint, heads) = broker("200 OK", granted());
    let world = sandbox(&endpoint);
    let link = world.cli.home().join("bin/stc-vault");
    symlink(program().unwrap(), &link).unwrap();
    let run = Run::try_from(world.cli.command(&link).output().unwrap()).unwrap();
    assert_eq!((run.code, run.stdout), (Some(0), format!("{}\n", token())));
    assert!(heads.recv().unwrap().contains("resource=https%3A%2F%2Fvault.azure.net"));
}
