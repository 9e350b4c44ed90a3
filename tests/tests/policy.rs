//! Each field of a policy document, with the permission and without it, against the real
//! credential.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use shared_token_cache::policy::{Policy, Source};
use shared_token_cache::{Builder, Error, HostSettings, Places, SharedTokenCacheCredential, TokenRequestOptions};
use shared_token_cache_tests::home::{AUTHORITY, CLIENT, Home};
use shared_token_cache_tests::listen::Listener;
use shared_token_cache_tests::sign_in::{
    SignIn, VAULT, access_token, document, new_access_token, tenant, token_reply, username,
};
use token_endpoint::{Reply, TokenEndpoint};

/// A document that allows every row's call. A row replaces the line of one field.
const BASE: &[(&str, &str)] = &[
    ("authorities", "authorities = [\"login.microsoftonline.com\"]"),
    ("scopes", "scopes = [\"*\"]"),
    ("tenants", "tenants = [\"*\"]"),
    ("accounts", "accounts = [\"*\"]"),
    ("client-ids", "client-ids = [\"*\"]"),
    ("component-sha256", "component-sha256 = [\"*\"]"),
    ("caches", "[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read-write\""),
    ("log", "[log]"),
];

/// The client id of another application than the Azure CLI.
const OTHER_CLIENT: &str = "00000000-0000-0000-0000-00000000000a";

fn policy(field: &str, line: &str) -> Policy {
    assert!(BASE.iter().any(|(name, _)| *name == field), "{field}");
    let lines: Vec<_> = BASE.iter().map(|(name, usual)| if *name == field { line } else { usual }).collect();
    Policy::from_toml(&lines.join("\n")).unwrap()
}

/// The entries in a row's cache, besides the refresh tokens of two users.
#[derive(Clone, Copy)]
enum Cached {
    Nothing,
    /// An access token of the first user, for this application.
    AccessToken(&'static str),
}

/// The call of a row.
struct Call {
    tenant: Option<&'static str>,
    cached: Cached,
    set: fn(Builder) -> Builder,
}

const REDEEM: Call = Call { tenant: None, cached: Cached::Nothing, set: |builder| builder };
const USE_CACHED: Call = Call { cached: Cached::AccessToken(CLIENT), ..REDEEM };

/// A row: the field, its action, the line that allows it, the lines that do not, and the call.
struct Row {
    field: &'static str,
    what: &'static str,
    allowed: &'static str,
    denied: &'static [&'static str],
    call: Call,
}

fn rows() -> Vec<Row> {
    vec![
        Row {
            field: "authorities",
            what: "a request",
            allowed: "authorities = [\"login.microsoftonline.com\"]",
            denied: &[
                "",
                "authorities = [\"login.microsoftonline.us\"]",
                "authorities = [\"login.microsoftonline.com:8443\"]",
            ],
            call: REDEEM,
        },
        Row {
            field: "scopes",
            what: "a scope in full",
            allowed: "scopes = [\"https://vault.azure.net/.default\"]",
            denied: &[
                "",
                "scopes = [\"https://graph.microsoft.com/.default\"]",
                "scopes = [\"https://vault.azure.net/x\"]",
            ],
            call: REDEEM,
        },
        Row {
            field: "scopes",
            what: "a resource, from the cache",
            allowed: "scopes = [\"https://vault.azure.net/*\"]",
            denied: &["scopes = [\"https://vault.azure.net//*\"]", "scopes = [\"https://graph.microsoft.com/*\"]"],
            call: USE_CACHED,
        },
        Row {
            field: "tenants",
            what: "the home tenant, asked of organizations",
            allowed: "tenants = [\"utid-00000000\"]",
            denied: &["", "tenants = [\"utid-00000001\"]", "tenants = [\"contoso.com\"]"],
            call: REDEEM,
        },
        Row {
            field: "tenants",
            what: "the home tenant, from the cache",
            allowed: "tenants = [\"UTID-00000000\"]",
            denied: &["", "tenants = [\"utid-00000001\"]"],
            call: USE_CACHED,
        },
        Row {
            field: "tenants",
            what: "a tenant by name",
            allowed: "tenants = [\"fabrikam.com\"]",
            denied: &["", "tenants = [\"utid-00000000\"]", "tenants = [\"fabrikam.co\"]"],
            call: Call { tenant: Some("fabrikam.com"), ..REDEEM },
        },
        Row {
            field: "tenants",
            what: "a guest's tenant",
            allowed: "tenants = [\"fabrikam.com\"]",
            denied: &["tenants = [\"utid-00000000\"]"],
            call: Call {
                set: |builder| builder.tenant_id("fabrikam.com").enable_guest_tenant_authentication(true),
                ..REDEEM
            },
        },
        Row {
            field: "accounts",
            what: "an account by name",
            allowed: "accounts = [\"User0@contoso.com\"]",
            denied: &["", "accounts = [\"user1@contoso.com\"]", "accounts = [\"uid-00000000.utid-00000001\"]"],
            call: REDEEM,
        },
        Row {
            field: "accounts",
            what: "an account by id, from the cache",
            allowed: "accounts = [\"uid-00000000.utid-00000000\"]",
            denied: &["", "accounts = [\"user1@contoso.com\"]"],
            call: USE_CACHED,
        },
        Row {
            field: "client-ids",
            what: "the usual client",
            allowed: "client-ids = [\"04B07795-8ddb-461a-bbee-02f9e1bf7b46\"]",
            denied: &["", "client-ids = [\"00000000-0000-0000-0000-00000000000a\"]"],
            call: REDEEM,
        },
        Row {
            field: "client-ids",
            what: "another client",
            allowed: "client-ids = [\"00000000-0000-0000-0000-00000000000a\"]",
            denied: &["client-ids = [\"04b07795-8ddb-461a-bbee-02f9e1bf7b46\"]"],
            call: Call { set: |builder| builder.client_id(OTHER_CLIENT), ..REDEEM },
        },
        Row {
            field: "client-ids",
            what: "the cached token of another client",
            allowed: "client-ids = [\"04b07795-8ddb-461a-bbee-02f9e1bf7b46\", \"00000000-0000-0000-0000-00000000000a\"]",
            denied: &["client-ids = [\"04b07795-8ddb-461a-bbee-02f9e1bf7b46\"]"],
            call: Call { cached: Cached::AccessToken(OTHER_CLIENT), ..REDEEM },
        },
    ]
}

/// A home in which two users are signed in.
fn signed_in(cached: Cached) -> Home {
    let home = Home::signed_in(0).unwrap();
    let first = SignIn::new(0, AUTHORITY);
    let first = match cached {
        Cached::Nothing => first,
        Cached::AccessToken(client) => first.access_token_with(VAULT, json!({ "client_id": client })),
    };
    home.write(&document(&[first, SignIn::new(1, AUTHORITY)])).unwrap();
    home
}

/// The result of a call under a policy, and its number of requests.
async fn ask(policy: Policy, call: &Call) -> (Result<String, Error>, usize) {
    let home = signed_in(call.cached);
    let endpoint = TokenEndpoint::start(|_| Reply::json(200, token_reply(0))).await.unwrap();
    let builder = home.credential(&endpoint).unwrap().policy(policy).username(username(0));
    let token = match (call.set)(builder).build() {
        Ok(credential) => {
            let request = TokenRequestOptions { tenant_id: call.tenant.map(str::to_owned), ..Default::default() };
            credential.get_token_with(&[VAULT], request).await
        }
        Err(error) => Err(error),
    };
    (token.map(|served| served.access_token.token.expose().to_owned()), endpoint.requests().len())
}

#[tokio::test]
async fn what_a_field_allows_is_done_and_what_it_does_not_allow_is_denied_with_the_hint() {
    let mut wrong = Vec::new();
    for row in rows() {
        let expected = match row.call.cached {
            Cached::Nothing => (new_access_token(0), 1),
            Cached::AccessToken(_) => (access_token(0, VAULT), 0),
        };
        let (token, requests) = ask(policy(row.field, row.allowed), &row.call).await;
        if !matches!(&token, Ok(token) if (token.clone(), requests) == expected) {
            wrong.push(format!("{}, {}: with {:?}: {token:?}", row.field, row.what, row.allowed));
        }
        for line in row.denied {
            let (token, requests) = ask(policy(row.field, line), &row.call).await;
            let named = format!("`{}`", row.field);
            let denied = matches!(&token, Err(Error::Denied(denial))
                if denial.hint.as_deref().is_some_and(|hint| hint.contains(&named))
                    && denial.message.starts_with("the policy does not allow "));
            if !denied || requests != 0 {
                wrong.push(format!("{}, {}: with {line:?}: {token:?} after {requests} requests", row.field, row.what));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_denial_does_not_say_whose_the_account_is() {
    let (token, _) = ask(policy("accounts", "accounts = [\"user1@contoso.com\"]"), &REDEEM).await;
    assert!(matches!(token, Err(Error::Denied(_))), "{token:?}");
    let said = format!("{token:?}");
    assert!(!said.contains("user0") && !said.contains("uid-00000000"), "{said}");
}

#[tokio::test]
async fn a_cache_needs_a_grant_and_is_written_only_where_that_says_so() {
    let grant = |source: &str, name: &str, access: &str| {
        format!("[[caches]]\nsource = \"{source}\"\nnames = [\"{name}\"]\naccess = \"{access}\"")
    };
    let mut wrong = Vec::new();
    for (line, read, written) in [
        (grant("shared", "msal.cache", "read-write"), true, true),
        (grant("shared", "msal.cache", "read"), true, false),
        (grant("shared", "other", "read-write"), false, false),
        (grant("azure-cli", "msal.cache", "read-write"), false, false),
        (String::new(), false, false),
    ] {
        let home = signed_in(Cached::Nothing);
        let before = home.read().unwrap();
        let endpoint = TokenEndpoint::start(|_| Reply::json(200, token_reply(0))).await.unwrap();
        let builder = home.credential(&endpoint).unwrap().policy(policy("caches", &line)).username(username(0));
        let token = builder.build().unwrap().get_token(&[VAULT]).await;
        let shown = matches!(&token, Err(Error::Denied(denial))
            if denial.hint.as_ref().is_some_and(|hint| hint.contains("[[caches]]")));
        if token.is_ok() != read || (token.is_err() && !shown) || (home.read().unwrap() != before) != written {
            wrong.push(format!("{line}: {token:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn accounts_that_the_policy_hides_are_not_named() {
    let names = async |line: &str| {
        let home = signed_in(Cached::Nothing);
        let credential = home.builder().policy(policy("accounts", line)).build().unwrap();
        let candidates = match credential.get_token(&[VAULT]).await {
            Err(Error::CredentialUnavailable(unavailable)) => unavailable.candidates,
            other => return vec![format!("{other:?}")],
        };
        let listed = listed(&credential).await;
        let candidates: Vec<_> = candidates.into_iter().map(|account| account.username).collect();
        assert_eq!(candidates, listed, "{line}");
        listed
    };
    assert_eq!(names("accounts = [\"*\"]").await, [username(0), username(1)]);
    assert_eq!(names("accounts = [\"user1@contoso.com\"]").await, [username(1)]);
    assert_eq!(names(&format!("accounts = [\"uid-00000000.{}\"]", tenant(0))).await, [username(0)]);
    assert_eq!(names("").await, [""; 0]);
}

#[tokio::test]
async fn a_hidden_account_looks_like_one_that_does_not_exist() {
    let home = signed_in(Cached::AccessToken(CLIENT));
    let said = async |line: &str, name: String| {
        let builder = home.builder().policy(policy("accounts", line)).username(name);
        let error = builder.build().unwrap().get_token(&[VAULT]).await.unwrap_err();
        (error.kind(), error.reason(), error.to_string())
    };
    let by_name = "accounts = [\"user0@contoso.com\"]";
    assert_eq!(said(by_name, username(1)).await, said(by_name, "nobody@contoso.com".into()).await);
    let ambiguous = home.builder().policy(policy("accounts", by_name)).build().unwrap().get_token(&[VAULT]).await;
    let message = ambiguous.unwrap_err().to_string();
    assert!(!message.contains('2') && message.contains("allows 1 of the cache"), "{message}");
}

#[tokio::test]
async fn a_source_whose_account_is_denied_passes_on_to_the_next() {
    let home = signed_in(Cached::AccessToken(CLIENT));
    fs::create_dir(home.path().join(".azure")).unwrap();
    let second = document(&[SignIn::new(1, AUTHORITY).access_token(VAULT)]);
    fs::write(home.path().join(".azure/msal_token_cache.json"), second).unwrap();
    home.write(&document(&[SignIn::new(0, AUTHORITY).access_token(VAULT)])).unwrap();
    let ask = async |accounts: &str| {
        let grants = "[[caches]]\nsource = \"shared\"\nnames = [\"msal.cache\"]\naccess = \"read\"\n\
                      [[caches]]\nsource = \"azure-cli\"\nnames = [\"msal.cache\"]\naccess = \"read\"\n";
        let rest = "authorities = [\"login.microsoftonline.com\"]\nscopes = [\"*\"]\ntenants = [\"*\"]\nclient-ids = [\"*\"]\n";
        let policy = Policy::from_toml(&format!("accounts = [{accounts}]\n{rest}{grants}")).unwrap();
        let builder = home.builder().policy(policy).sources([Source::Shared, Source::AzureCli]);
        builder.build().unwrap().get_token(&[VAULT]).await.map(|token| token.token.expose().to_owned())
    };
    assert_eq!(ask("\"*\"").await.unwrap(), access_token(0, VAULT));
    assert_eq!(ask("\"user1@contoso.com\"").await.unwrap(), access_token(1, VAULT));
    assert!(matches!(ask("").await, Err(Error::Denied(_))));
}

#[tokio::test]
async fn a_profile_decides_whether_its_token_is_of_the_agent_session() {
    for (line, is_marked) in [("", true), ("agent-session = \"pass\"", true), ("agent-session = \"off\"", false)] {
        let home = signed_in(Cached::AccessToken(CLIENT));
        let endpoint = TokenEndpoint::start(|_| Reply::json(200, token_reply(0))).await.unwrap();
        let profile = format!(
            "[[profiles]]\nname = \"vault\"\nsource = \"shared\"\naccount = \"{}\"\nscopes = [\"{VAULT}\"]\n{line}",
            username(0)
        );
        let policy = Policy::from_toml(&format!("{}\n{profile}", policy("log", "[log]").to_toml())).unwrap();
        let session = Some("session-1".parse().unwrap());
        let settings = HostSettings { agent_session: session, ..HostSettings::default() };
        let credential = SharedTokenCacheCredential::builder_for(&policy, policy.profile("vault").unwrap())
            .host_settings(settings)
            .places(Places::below(home.path()))
            .transport(home.transport(&endpoint).unwrap())
            .build()
            .unwrap();
        let token = credential.get_token(&[VAULT]).await.unwrap();
        let expected = if is_marked { new_access_token(0) } else { access_token(0, VAULT) };
        assert_eq!(token.token.expose(), expected, "{line}");
        let requests = endpoint.requests();
        let marked = requests.iter().filter(|request| request.field("client_session") == Some("session-1"));
        assert_eq!((marked.count(), requests.len()), (usize::from(is_marked), usize::from(is_marked)), "{line}");
        assert_eq!(credential.agent_session().is_some(), is_marked, "{line}");
    }
}

async fn listed(credential: &SharedTokenCacheCredential) -> Vec<String> {
    let mut listed = Vec::new();
    for (_, accounts) in credential.accounts(false).await {
        listed.extend(accounts.unwrap().into_iter().map(|cached| cached.account.username));
    }
    listed
}

fn component(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/component").join(name)
}

#[test]
fn a_component_is_loaded_from_a_file_only_when_its_bytes_are_pinned() {
    let home = signed_in(Cached::Nothing);
    let path = component("shared-token-cache.wasm");
    let load = |line: &str| home.builder().policy(policy("component-sha256", line)).component(&path).build();
    let Err(Error::Denied(denial)) = load("") else { unreachable!("loaded without a permission") };
    assert_eq!(denial.hint.as_deref(), Some("list it under `component-sha256`"));
    // The denial contains the hash to write.
    let hash = denial.message.rsplit(' ').next().unwrap().to_owned();
    assert!(load(&format!("component-sha256 = [\"{hash}\"]")).is_ok());
    assert!(load("component-sha256 = [\"*\"]").is_ok());
    let other = hash.chars().rev().collect::<String>();
    assert!(matches!(load(&format!("component-sha256 = [\"{other}\"]")), Err(Error::Denied(_))));

    // Another file is refused, though it is a component too.
    let copy = home.path().join("copy.wasm");
    let mut bytes = fs::read(&path).unwrap();
    fs::write(&copy, &bytes).unwrap();
    let load = |path: &Path| {
        let policy = policy("component-sha256", &format!("component-sha256 = [\"{hash}\"]"));
        home.builder().policy(policy).component(path).build()
    };
    assert!(load(&copy).is_ok());
    // An empty custom section, which changes the hash and not the component.
    bytes.extend([0, 1, 0]);
    fs::write(&copy, &bytes).unwrap();
    assert!(matches!(load(&copy), Err(Error::Denied(_))));
    assert!(home.builder().component(&copy).build().is_ok(), "the policy of the other tests allows any");
    assert!(
        home.builder().policy(policy("component-sha256", "")).build().is_ok(),
        "the built-in one needs no permission"
    );
}

/// The component's log lines that pass these rules.
fn heard(rules: &str, component: Option<&str>, words: &[&str]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let home = signed_in(Cached::Nothing);
    let listener = Listener::default();
    listener.during(|| {
        runtime.block_on(async {
            let endpoint = TokenEndpoint::start(|_| Reply::json(200, token_reply(0))).await.unwrap();
            let read_only = policy("log", rules);
            let mut builder = home.credential(&endpoint).unwrap().policy(read_only).username(username(0));
            if let Some(path) = component {
                builder = builder.component(self::component(path));
            }
            drop(builder.build().unwrap().get_token(words).await);
        });
    });
    listener.lines().into_iter().filter(|line| line.starts_with("shared_token_cache::component")).collect()
}

#[test]
fn a_components_log_lines_are_kept_to_the_level_of_the_policy() {
    let detail = "account entries";
    for (rules, details) in [
        ("[log]", 0),
        ("[log]\ncomponent = \"off\"", 0),
        ("[log]\ncomponent = \"warn\"", 0),
        ("[log]\ncomponent = \"info\"", 0),
        ("[log]\ncomponent = \"debug\"", 1),
    ] {
        let lines = heard(rules, None, &[VAULT]);
        assert_eq!(lines.iter().filter(|line| line.contains(detail)).count(), details, "{rules} {lines:?}");
    }
    for (rules, warnings) in [("", 2), ("[log]\ncomponent = \"warn\"", 2), ("[log]\ncomponent = \"off\"", 0)] {
        assert_eq!(heard(rules, Some("hostile.wasm"), &["log", "2", "beware"]).len(), warnings, "{rules}");
    }
}

#[test]
fn a_components_log_is_limited_to_the_lines_and_bytes_of_the_policy() {
    for (rules, lines, bytes) in [
        ("[log]\nlines-per-call = 3\nline-bytes = 16", 3, 16),
        ("[log]\nlines-per-call = 0", 0, 0),
        ("[log]\nlines-per-call = 200", 150, 2_000),
        ("[log]", 100, 2_000),
    ] {
        let heard = heard(rules, Some("hostile.wasm"), &["log", "150", &"x".repeat(5_000)]);
        assert_eq!(heard.len(), lines, "{rules}");
        for line in heard {
            assert_eq!(line.matches('x').count(), bytes, "{rules}");
        }
    }
}
