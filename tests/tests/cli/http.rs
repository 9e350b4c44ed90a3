//! `serve --http`: responses and refusals.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod attacks;
pub(crate) mod endpoint;
mod keys;
mod starts;

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{Authority, Cli, SHARED};
use shared_token_cache_tests::sign_in::{
    FAR, GRAPH, LOCAL, SignIn, VAULT, access_token, document, new_access_token, token_reply,
};

use super::serve::agent::policy;
use endpoint::{Endpoint, QUERY};

/// Two users in one cache: user 0 has a token for the vault, user 1 one for Graph.
fn signed_in() -> Cli {
    let users = [SignIn::new(0, LOCAL).access_token(VAULT), SignIn::new(1, LOCAL).access_token(GRAPH)];
    Cli::with_shared(&document(&users)).unwrap()
}

#[test]
fn a_client_gets_the_token_of_its_profile_in_the_form_of_app_service() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault"], &[]);
    let answer = endpoint.ask(&endpoint.key("app"), QUERY);
    assert_eq!(answer.status, 200, "{answer:?}");
    for line in ["content-type: application/json", "cache-control: no-store", "connection: close"] {
        assert!(answer.head.contains(line), "{line}: {answer:?}");
    }
    let reply = answer.json();
    let expires_on: u64 = reply["expires_on"].as_str().unwrap().parse().unwrap();
    let expires_in: u64 = reply["expires_in"].as_str().unwrap().parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((now + expires_in).abs_diff(expires_on) < 60, "{reply}");
    let expected = format!(
        "{{\"access_token\":\"{}\",\"expires_in\":\"{expires_in}\",\"expires_on\":\"{expires_on}\",\"resource\":\
         \"https://vault.azure.net\",\"token_type\":\"Bearer\",\"client_id\":\"04b07795-8ddb-461a-bbee-02f9e1bf7b46\"}}",
        access_token(0, VAULT)
    );
    assert_eq!(answer.body, expected, "some clients take the later one of expires_in and expires_on");
    endpoint.until_audited([("client", "app"), ("profile", "vault"), ("outcome", "served")]);
    let line = endpoint.audit().pop().unwrap();
    assert_eq!((&line["operation"], &line["scopes"]), (&json!("http.app-service"), &json!([VAULT])));
    endpoint.agent.end();
}

#[test]
fn azure_machine_learnings_variant_has_its_own_header_and_names() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault"], &[]);
    let (key, address) = (endpoint.key("app"), &endpoint.address);
    let ask = |header: &str| {
        let query = "api-version=2017-09-01&resource=https%3A%2F%2Fvault.azure.net&clientid=unknown";
        endpoint.send(&format!("GET /msi/token?{query} HTTP/1.1\r\nhost: {address}\r\n{header}: {key}\r\n\r\n"))
    };
    assert_eq!(ask("secret").json()["access_token"], access_token(0, VAULT));
    assert_eq!(ask("x-identity-header").status, 401);
    endpoint.until_audited([("client", "app"), ("operation", "http.azure-ml"), ("outcome", "served")]);
}

#[test]
fn azd_gets_tokens_by_scopes_and_tenant_and_errors_with_status_200() {
    let cli = signed_in();
    let in_a_tenant = policy(LOCAL).replace("name = \"graph\"", "name = \"graph\"\ntenant = \"utid-00000001\"");
    let endpoint = Endpoint::start(&cli, &in_a_tenant, &["app=vault,graph"], &[]);
    let key = endpoint.key("app");
    let ask = |body: Value| endpoint.azd(&key, &body.to_string());
    let reply = ask(json!({ "scopes": [VAULT], "tenantId": "" }));
    assert_eq!((&reply["status"], &reply["token"]), (&json!("success"), &json!(access_token(0, VAULT))));
    let expires_on = reply["expiresOn"].as_str().unwrap();
    assert!(expires_on.len() == 20 && expires_on.ends_with('Z') && !expires_on.contains('.'), "{reply}");
    assert_eq!(ask(json!({ "scopes": [GRAPH], "tenantId": "UTID-00000001" }))["token"], access_token(1, GRAPH));
    for (body, part) in [
        (json!({ "scopes": [VAULT], "tenantId": "fabrikam.com" }), "for that tenant"),
        (json!({ "scopes": [GRAPH], "tenantId": "fabrikam.com" }), "for that tenant"),
        (json!({ "scopes": [VAULT, GRAPH] }), "no profile of this client has the scope"),
        (json!({ "scopes": [] }), "list of `scopes`"),
        (json!({ "scopes": ["https://vault.azure.net/\n"] }), "list of `scopes`"),
        (json!([VAULT]), "list of `scopes`"),
        (json!({ "scopes": ["x".repeat(20_000)] }), "larger than"),
    ] {
        let reply = ask(body.clone());
        assert_eq!((&reply["status"], &reply["code"]), (&json!("error"), &json!("GetTokenError")), "{body}");
        assert!(reply["message"].as_str().unwrap().contains(part), "{body}: {reply}");
    }
    let reply = endpoint.azd("wrong", &json!({ "scopes": [VAULT] }).to_string());
    assert!(reply["code"] == "GetTokenError" && reply["message"].as_str().unwrap().contains("the key"), "{reply}");
    // User 0 signs out.
    endpoint.agent.write(SHARED, &document(&[SignIn::new(1, LOCAL).access_token(GRAPH)]));
    endpoint.agent.until("a withdrawal", || ask(json!({ "scopes": [VAULT] }))["code"] == "NotSignedInError");
}

#[test]
fn an_identity_selects_a_profile_and_an_unknown_one_is_ignored() {
    let cli = signed_in();
    let both = policy(LOCAL).replace("name = \"graph\"", "name = \"other\"").replace(GRAPH, VAULT);
    let more = "[[profiles]]\nname = \"two\"\nsource = \"shared\"\naccount = \"user0@contoso.com\"\nscopes = [\"499b84ac-1321-427f-aa17-267ca6975798/.default\", \"https://vault.azure.net/.default\"]\n";
    let users = [0, 1].map(|user| SignIn::new(user, LOCAL).access_token(VAULT));
    cli.write(SHARED, &document(&users)).unwrap();
    let endpoint =
        Endpoint::start(&cli, &format!("{both}{more}"), &["app=vault,other", "one=vault", "on-demand=two"], &[]);
    let key = endpoint.key("app");
    for (selector, user) in
        [("client_id=vault", 0), ("client_id=other", 1), ("object_id=other", 1), ("mi_res_id=vault", 0)]
    {
        let answer = endpoint.ask(&key, &format!("{QUERY}&{selector}"));
        assert_eq!(answer.json()["access_token"], access_token(user, VAULT), "{selector}");
    }
    for selector in ["", "&client_id=11111111-1111-1111-1111-111111111111"] {
        let answer = endpoint.ask(&key, &format!("{QUERY}{selector}"));
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.body.contains("vault, other all fit") && !answer.body.contains("two"), "{answer:?}");
        let answer = endpoint.ask(&endpoint.key("one"), &format!("{QUERY}{selector}"));
        assert_eq!(answer.json()["access_token"], access_token(0, VAULT), "it has one profile only");
    }
    // Another client's profile selects nothing.
    let answer = endpoint.ask(&endpoint.key("one"), &format!("{QUERY}&client_id=other"));
    assert_eq!(answer.json()["access_token"], access_token(0, VAULT));
    let answer = endpoint.ask(&endpoint.key("on-demand"), QUERY);
    assert_eq!(answer.json()["access_token"], access_token(0, VAULT), "one of several scopes is asked for on demand");
}

#[test]
fn a_client_id_that_names_a_profile_without_the_scope_selects_nothing() {
    let cli = signed_in();
    let endpoint = Endpoint::start(&cli, &policy(LOCAL), &["app=vault,graph"], &[]);
    let answer = endpoint.ask(&endpoint.key("app"), &format!("{QUERY}&client_id=graph"));
    assert_eq!(answer.json()["access_token"], access_token(0, VAULT), "the only profile with the scope serves");
}

#[test]
fn failures_say_whether_a_retry_helps_and_name_nothing_of_the_host() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let mut asked = 0;
    let authority = Authority::start(move |_| {
        asked += 1;
        match asked {
            1 => token_endpoint::Reply::json(400, json!({ "error": "invalid_grant", "error_codes": [70043] })),
            _ => token_endpoint::Reply::json(200, token_reply(0)),
        }
    })
    .unwrap();
    let more = ["--authority", &authority.host(), "--ca-file", &authority.ca_file()];
    let endpoint = Endpoint::start(&cli, &policy(&authority.host()), &["app=vault,graph"], &more);
    let key = endpoint.key("app");
    let answer = endpoint.ask(&key, QUERY);
    let reply = answer.json();
    assert_eq!((answer.status, &reply["statusCode"], &reply["error"]), (403, &json!(403), &json!("access_denied")));
    assert!(!answer.head.contains("retry-after") && reply["message"] == reply["error_description"], "{answer:?}");
    let home = cli.home().display().to_string();
    for unsaid in ["user0", "contoso", "utid", home.as_str(), SHARED] {
        assert!(!answer.body.contains(unsaid), "{unsaid}: {answer:?}");
    }
    assert!(answer.body.contains("the profile vault (") && answer.body.contains("the log of the agent"), "{answer:?}");
    assert!(endpoint.agent.said().contains("the client app gets no token: profile vault"), "{}", endpoint.agent.said());
    endpoint.until_audited([("client", "app"), ("profile", "vault"), ("operation", "http.app-service")]);
    endpoint.agent.end();

    let vacant = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("localhost:{}", vacant.local_addr().unwrap().port());
    drop(vacant);
    let endpoint = Endpoint::start(&cli, &policy(&gone), &["app=vault"], &["--authority", &gone]);
    let answer = endpoint.ask(&endpoint.key("app"), QUERY);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.head.contains("retry-after: ") && answer.json()["error"] == "temporarily_unavailable", "{answer:?}");
}

#[test]
fn a_new_token_is_bought_for_a_client_and_stored() {
    let cli = Cli::with_shared(&document(&[SignIn::new(0, LOCAL)])).unwrap();
    let authority = Authority::answering(200, token_reply(0)).unwrap();
    let more = ["--authority", &authority.host(), "--ca-file", &authority.ca_file()];
    let endpoint = Endpoint::start(&cli, &policy(&authority.host()), &["app=vault"], &more);
    let reply = endpoint.ask(&endpoint.key("app"), QUERY).json();
    assert_eq!(reply["access_token"], new_access_token(0));
    let expires_on: u64 = reply["expires_on"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires_on, FAR);
    assert!(cli.read(SHARED).unwrap().contains(&new_access_token(0)));
}
