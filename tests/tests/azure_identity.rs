//! The program and real MSAL and azure-identity for Python, with the same cache file.
//!
//! `AZURE_IDENTITY_PYTHON` names a Python that has them; `cargo xtask test` sets it. Neither side
//! uses the network.

use std::io;
use std::process::ExitCode;

use serde_json::{Value, json};
use shared_token_cache_tests::cli::{Authority, Cli, SHARED, SHARED_CAE};
use shared_token_cache_tests::peers::{self, Check, Python, at, keys_of, same, sent};
use shared_token_cache_tests::sign_in::{
    GRAPH, LOCAL, VAULT, new_access_token, new_refresh_token, refresh_token, token_reply,
};

const CHECKS: [Check<Peers>; 13] = [
    ("azure_identity_takes_the_token_that_we_cached", azure_identity_takes_the_token_that_we_cached),
    ("azure_identity_takes_our_token_from_a_named_cache", azure_identity_takes_our_token_from_a_named_cache),
    ("azure_identity_takes_our_token_under_cae", azure_identity_takes_our_token_under_cae),
    ("msal_takes_the_token_that_we_cached", msal_takes_the_token_that_we_cached),
    ("we_take_the_token_that_azure_identity_cached", we_take_the_token_that_azure_identity_cached),
    ("we_take_the_token_that_msal_cached", we_take_the_token_that_msal_cached),
    ("a_tenant_that_is_not_asked_may_have_any_name", a_tenant_that_is_not_asked_may_have_any_name),
    ("azure_identity_sends_the_refresh_token_that_we_rotated", azure_identity_sends_the_refresh_token_that_we_rotated),
    ("we_send_the_refresh_token_that_azure_identity_rotated", we_send_the_refresh_token_that_azure_identity_rotated),
    ("a_new_token_replaces_the_one_that_the_other_cached", a_new_token_replaces_the_one_that_the_other_cached),
    ("what_msal_wrote_survives_our_write", what_msal_wrote_survives_our_write),
    ("what_we_wrote_survives_a_write_of_msal", what_we_wrote_survives_a_write_of_msal),
    ("writers_at_the_same_time_lose_nothing", writers_at_the_same_time_lose_nothing),
];

fn main() -> ExitCode {
    let python = Python::named_by("AZURE_IDENTITY_PYTHON", "peers.py");
    let encrypted = "on Windows the peers encrypt their caches, which is not tested";
    let python = if cfg!(unix) { python } else { Err(encrypted.to_owned()) };
    peers::run(&CHECKS, python, |python| Ok(Peers { python, cli: Cli::new()? }))
}

fn azure_identity_takes_the_token_that_we_cached(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(SHARED, 0)?;
    let ours = peers.cli.redeem(&authority, &[])?.answer()?;
    let theirs = peers.credential(&["--scope", GRAPH])?;
    same("token", at(&theirs, "/token"), &json!(new_access_token(0)))?;
    same("expiry", at(&theirs, "/expires_on"), at(&ours, "/expires_on"))?;
    same("what they posted", at(&theirs, "/posted"), &json!([]))
}

fn azure_identity_takes_our_token_from_a_named_cache(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(".IdentityService/contoso-tools.nocae", 0)?;
    peers.cli.redeem(&authority, &["--cache-name", "contoso-tools"])?.answer()?;
    let theirs = peers.credential(&["--scope", GRAPH, "--name", "contoso-tools"])?;
    same("token", at(&theirs, "/token"), &json!(new_access_token(0)))
}

fn azure_identity_takes_our_token_under_cae(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(SHARED_CAE, 0)?;
    peers.cli.redeem(&authority, &["--enable-cae"])?.answer()?;
    let theirs = peers.credential(&["--scope", GRAPH, "--cae"])?;
    same("token", at(&theirs, "/token"), &json!(new_access_token(0)))
}

fn msal_takes_the_token_that_we_cached(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in("tokens.json", 0)?;
    peers.cli.redeem(&authority, &["--source", "file:tokens.json"])?.answer()?;
    let theirs = peers.client(&["--scope", GRAPH, "--file", "tokens.json"])?;
    same("token", at(&theirs, "/token"), &json!(new_access_token(0)))?;
    same("usernames", at(&theirs, "/usernames"), &json!(["user0@contoso.com"]))?;
    same("what they posted", at(&theirs, "/posted"), &json!([]))
}

fn we_take_the_token_that_azure_identity_cached(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(SHARED, 0)?;
    peers.credential(&["--scope", GRAPH, "--reply", &token_reply(0).to_string()])?;
    let ours = peers.cli.redeem(&authority, &[])?.answer()?;
    same("token", at(&ours, "/token"), &json!(new_access_token(0)))?;
    same("number of requests", &authority.requests().len(), &0)
}

fn we_take_the_token_that_msal_cached(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(SHARED, 0)?;
    peers.client(&["--scope", GRAPH, "--file", SHARED, "--reply", &token_reply(0).to_string()])?;
    let ours = peers.cli.redeem(&authority, &[])?.answer()?;
    same("token", at(&ours, "/token"), &json!(new_access_token(0)))?;
    same("number of requests", &authority.requests().len(), &0)
}

/// The tenant has an underscore, as in azure-identity's own tests; no real tenant has one.
fn a_tenant_that_is_not_asked_may_have_any_name(peers: &Peers) -> io::Result<()> {
    let mut cli = Cli::new()?;
    cli.set("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "true");
    let peers = Peers { python: peers.python.clone(), cli };
    let authority = peers.sign_in(SHARED, 0)?;
    let reply = token_reply(0).to_string();
    let theirs = peers.credential(&["--scope", VAULT, "--tenant", "some_tenant", "--reply", &reply])?;
    same("their token", at(&theirs, "/token"), &json!(new_access_token(0)))?;
    let ours = peers.cli.redeem(&authority, &["--request-tenant", "some_tenant"])?.answer()?;
    same("our token", at(&ours, "/token"), &json!(new_access_token(0)))?;
    same("what we posted", &authority.requests().len(), &1)
}

fn azure_identity_sends_the_refresh_token_that_we_rotated(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(SHARED, 0)?;
    peers.cli.redeem(&authority, &[])?.answer()?;
    let theirs = peers.credential(&["--scope", VAULT, "--reply", &token_reply(0).to_string()])?;
    same("refresh token", at(&theirs, "/posted/0/form/refresh_token"), &json!(new_refresh_token(0)))?;
    same("client", at(&theirs, "/posted/0/form/client_id"), &sent(&authority, "client_id"))
}

fn we_send_the_refresh_token_that_azure_identity_rotated(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(SHARED, 0)?;
    let theirs = peers.credential(&["--scope", VAULT, "--reply", &token_reply(0).to_string()])?;
    same("their refresh token", at(&theirs, "/posted/0/form/refresh_token"), &json!(refresh_token(0)))?;
    peers.cli.redeem(&authority, &[])?.answer()?;
    same("our refresh token", &sent(&authority, "refresh_token"), &json!(new_refresh_token(0)))
}

/// Both sides use the same key for the same token; otherwise the cache would contain it twice.
fn a_new_token_replaces_the_one_that_the_other_cached(peers: &Peers) -> io::Result<()> {
    let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;
    let authority = peers.sign_in(SHARED, 0)?;
    let keys = || peers.cli.read_json(SHARED).map(|document| keys_of(&document));
    peers.cli.redeem(&authority, &[])?.answer()?;
    let ours = keys()?;
    peers.credential(&["--scope", GRAPH, "--claims", challenge, "--reply", &token_reply(0).to_string()])?;
    let both = keys()?;
    let new = |section: &str| both.difference(&ours).any(|key| key.starts_with(section));
    if new("AccessToken") || new("RefreshToken") || new("AppMetadata") {
        return Err(io::Error::other(format!("they added {:#?} to {ours:#?}", both.difference(&ours))));
    }
    peers.cli.redeem(&authority, &["--claims", challenge])?.answer()?;
    same("keys", &keys()?, &both)
}

fn what_msal_wrote_survives_our_write(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(SHARED, 0)?;
    peers.sign_in(SHARED, 1)?;
    let mut before = peers.cli.read_json(SHARED)?;
    for section in ["/Account", "/RefreshToken"] {
        let entries = before.pointer_mut(section).and_then(Value::as_object_mut).into_iter().flatten();
        for entry in entries.filter_map(|(_, entry)| entry.as_object_mut()) {
            entry.insert("future_field".into(), json!(["kept"]));
        }
    }
    if let Some(document) = before.as_object_mut() {
        let future = json!({ "entry": { "number": 1.50, "null": null, "text": "\u{e9}\u{1f511}" } });
        document.insert("FutureSection".into(), future);
    }
    peers.cli.write(SHARED, &before.to_string())?;
    peers.cli.redeem(&authority, &["--username", "user0@contoso.com"])?.answer()?;

    let after = peers.cli.read_json(SHARED)?;
    for section in ["/Account", "/FutureSection"] {
        same(section, at(&after, section), at(&before, section))?;
    }
    same("future field", at(&entry_of(&after, "RefreshToken", 0), "/future_field"), &json!(["kept"]))?;
    for section in ["AccessToken", "RefreshToken", "IdToken", "Account"] {
        same(section, &entry_of(&after, section, 1), &entry_of(&before, section, 1))?;
    }
    Ok(())
}

fn what_we_wrote_survives_a_write_of_msal(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(SHARED, 0)?;
    peers.cli.redeem(&authority, &[])?.answer()?;
    let ours = peers.cli.read_json(SHARED)?;
    peers.sign_in(SHARED, 1)?;

    let mut theirs = peers.cli.read_json(SHARED)?;
    for (_, section) in theirs.as_object_mut().into_iter().flatten() {
        section.as_object_mut().into_iter().for_each(|section| section.retain(|key, _| !key.contains("uid-00000001")));
    }
    same("document", &theirs, &ours)?;
    let again = peers.cli.redeem(&authority, &["--username", "user0@contoso.com"])?.answer()?;
    same("token", at(&again, "/token"), &json!(new_access_token(0)))?;
    same("number of requests", &authority.requests().len(), &1)
}

/// Two of our programs and MSAL, each writing entries of its own.
fn writers_at_the_same_time_lose_nothing(peers: &Peers) -> io::Result<()> {
    const SIGN_INS: u32 = 15;
    let authority = peers.sign_in(SHARED, 0)?;
    let scopes =
        |program: u32| (0..8).map(move |number| format!("https://resource{program}{number}.contoso.com/.default"));
    let redeem = |program: u32| {
        scopes(program).try_for_each(|scope| {
            let only = ["--scope", scope.as_str(), "--username", "user0@contoso.com"];
            peers.cli.redeem(&authority, &only)?.answer().map(drop)
        })
    };
    std::thread::scope(|threads| {
        let ours = [1, 2].map(|program| threads.spawn(move || redeem(program)));
        let count = SIGN_INS.to_string();
        peers.run("sign-ins", &["--authority", LOCAL, "--scope", GRAPH, "--file", SHARED, "--count", &count])?;
        ours.into_iter().try_for_each(|program| program.join().unwrap_or_else(|_| Err(io::Error::other("it panicked"))))
    })?;

    let keys = keys_of(&peers.cli.read_json(SHARED)?);
    let has = |section: &str, part: &str| keys.iter().any(|key| key.starts_with(section) && key.contains(part));
    for scope in scopes(1).chain(scopes(2)) {
        same(&scope, &has("AccessToken", &scope), &true)?;
    }
    for number in 0..=SIGN_INS {
        let user = format!("uid-{number:08}.");
        same(&user, &(has("Account", &user) && has("RefreshToken", &user)), &true)?;
    }
    Ok(())
}

/// Python with the peers, and a home folder shared by both sides.
struct Peers {
    python: Python,
    cli: Cli,
}

impl Peers {
    /// Has MSAL write a sign-in of user `number`, with an expired access token; returns an
    /// authority for the program.
    fn sign_in(&self, file: &str, number: u32) -> io::Result<Authority> {
        let number_text = number.to_string();
        self.run("sign-in", &["--authority", LOCAL, "--scope", GRAPH, "--file", file, "--number", &number_text])?;
        Authority::answering(200, token_reply(number))
    }

    /// A token of azure-identity's SharedTokenCacheCredential.
    fn credential(&self, arguments: &[&str]) -> io::Result<Value> {
        self.run("credential", arguments)
    }

    /// A token of MSAL's PublicClientApplication.
    fn client(&self, arguments: &[&str]) -> io::Result<Value> {
        self.run("client", arguments)
    }

    fn run(&self, command: &str, arguments: &[&str]) -> io::Result<Value> {
        self.python.run(&self.cli, command, arguments)
    }
}

/// The entry of user `number` in a section.
fn entry_of(document: &Value, section: &str, number: u32) -> Value {
    let user = format!("uid-{number:08}.");
    let mut entries = document.get(section).and_then(Value::as_object).into_iter().flatten();
    entries.find(|(key, _)| key.starts_with(&user)).map(|(_, entry)| entry.clone()).unwrap_or_default()
}
