//! Measures the time to seal a large cache, to open it again, and to open a token of it.
//!
//! `cargo run --release -p shared-token-cache-vault --example seal -- 10000`

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use shared_token_cache_policy::{CacheName, Policy};
use shared_token_cache_vault::{Credential, Form, Request, Session, Vault};

const NAME: &str = "msal.cache.nocae";

fn main() -> Result<(), Box<dyn Error>> {
    let accounts = std::env::args().nth(1).map_or(Ok(10_000), |count| count.parse())?;
    let document = document(accounts)?.into_bytes();
    let credential = Credential {
        cache_name: "msal.cache".into(),
        authority: "login.microsoftonline.com".into(),
        client_id: "client".into(),
        policy: Arc::new(Policy::for_current_user(CacheName::default())),
        username: Some(format!("user{}@contoso.com", accounts - 1)),
        ..Credential::default()
    };
    let vault = Vault::new(credential, 512 << 20)?;
    let mut out = std::io::stdout();
    writeln!(out, "{accounts} accounts, {:.1} MB", megabytes(document.len()))?;
    for round in 1..=5 {
        let mut session = vault.session();
        session.begin(&Request { scopes: &["https://vault.azure.net/.default".into()], ..Request::default() })?;
        let content = document.clone();

        let start = Instant::now();
        let sealed = vault.seal_document(NAME, "1", content)?;
        let seal = start.elapsed();

        let text = session.hold(sealed).map_err(|_| "the document is not UTF-8")?;
        redeem(&mut session, &text)?;
        let start = Instant::now();
        let open = session.open_document(NAME, "1", &text)?;
        let opened = start.elapsed();
        if open.content() != document {
            return Err("the opened document is another".into());
        }

        let handle = last_handle(&text, "sealed-a-").ok_or("no access token")?;
        let start = Instant::now();
        session.open_result(&handle, 1_700_000_000)?;
        let first = start.elapsed();
        let start = Instant::now();
        session.open_result(&handle, 1_700_000_000)?;
        let second = start.elapsed();
        writeln!(
            out,
            "round {round}: sealed in {seal:.1?} to {:.1} MB, opened in {opened:.1?}, a token in {first:.1?}, then in {second:.1?}",
            megabytes(text.len())
        )?;
    }
    Ok(())
}

fn document(accounts: usize) -> Result<String, std::fmt::Error> {
    let mut sections = [("AccessToken", 1_400), ("RefreshToken", 800), ("IdToken", 150), ("Account", 0)]
        .map(|(name, secret)| (name, secret, String::new()));
    for number in 0..accounts {
        for (name, secret, text) in &mut sections {
            let comma = if number == 0 { "" } else { "," };
            let kind = name.to_lowercase();
            write!(
                text,
                r#"{comma}
        "uid-{number:08}.utid-{number:08}-login.microsoftonline.com-{kind}-client-organizations-": {{
            "credential_type": "{name}",
            "home_account_id": "uid-{number:08}.utid-{number:08}",
            "environment": "login.microsoftonline.com",
            "client_id": "client",
            "realm": "organizations",
            "target": "https://vault.azure.net/.default","#
            )?;
            let last = if *secret > 0 {
                format!(r#""secret": "{kind}-{number:08}-{}""#, "x".repeat(*secret))
            } else {
                format!(r#""username": "user{number}@contoso.com""#)
            };
            write!(text, "\n            \"expires_on\": \"1700003600\",\n            {last}\n        }}")?;
        }
    }
    let sections = sections.map(|(name, _, text)| format!("    \"{name}\": {{{text}\n    }}"));
    Ok(format!("{{\n{}\n}}", sections.join(",\n")))
}

/// Redeems the last refresh token, as no call without a redemption may write.
fn redeem(session: &mut Session, text: &str) -> Result<(), Box<dyn Error>> {
    let handle = last_handle(text, "sealed-r-").ok_or("no refresh token")?;
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &handle),
        ("scope", "https://vault.azure.net/.default"),
        ("client_id", "client"),
        ("client_info", "1"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (authority_host, tenant) = ("login.microsoftonline.com", "organizations");
    let form = session.open_form(&Form { authority_host, tenant, headers: &[], fields: &fields })?;
    session.seal_reply(form.redemption, 400, br#"{"error":"invalid_grant"}"#.to_vec(), 1_700_000_000);
    Ok(())
}

fn last_handle(text: &str, prefix: &str) -> Option<String> {
    let start = text.rfind(prefix)?;
    text.get(start..)?.split('"').next().map(str::to_owned)
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
