//! Environment variables and the log.

use anyhow::{Result, ensure};
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::sign_in::{Home, expired};
use token_endpoint::sign_in::tenant;

use super::Check;
use super::call::Cli;
use crate::outcome::Outcome;
use crate::scenario::is_written_back;

pub(super) const CHECKS: &[Check] = &[
    ("a variable that makes no sense is named, and nothing is done", no_sense),
    ("the log goes to standard error, as detailed as is asked for", log),
];

fn no_sense(cli: &Cli) -> Result<()> {
    let (before, authority) = (expired()?, Authority::start(Scheme::Http)?);
    let home = Home::with(Some(&before))?;
    for (name, value) in [
        ("SHARED_TOKEN_CACHE_SOURCE", "keyring"),
        ("SHARED_TOKEN_CACHE_AUTHORITIES", "login.contoso.com;login.fabrikam.com"),
        ("SHARED_TOKEN_CACHE_PLAIN_HTTP", "login.contoso.com"),
        ("SHARED_TOKEN_CACHE_REPLACE", "maybe"),
        ("SHARED_TOKEN_CACHE_REQUEST_SECONDS", "0"),
        ("SHARED_TOKEN_CACHE_RESPONSE_KIB", "-1"),
        ("SHARED_TOKEN_CACHE_DOCUMENT_MIB", "4096"),
        ("SHARED_TOKEN_CACHE_LOG", "loud"),
        ("AZURE_AUTHORITY_HOST", "https://user0:hunter2@login.contoso.com"),
    ] {
        let answer = cli.call(&home, &authority.name()).set(name, value).make()?;
        answer.cannot_read(&[name])?;
        let printed = match &answer.outcome {
            Outcome::Error { error } => error.message.as_str(),
            _ => "",
        };
        ensure!(!printed.contains("hunter2"), "the password is shown: {printed}");
    }
    ensure!(authority.requests().is_empty() && home.text()? == before, "something was done");
    Ok(())
}

fn log(cli: &Cli) -> Result<()> {
    for (level, lines) in [("debug", true), ("off", false)] {
        let authority = Authority::start(Scheme::Http)?;
        let home = Home::with(Some(&expired()?))?;
        let call = cli.call(&home, &authority.name()).set("SHARED_TOKEN_CACHE_LOG", level);
        let answer = call.set("SHARED_TOKEN_CACHE_REPLCE", "rename").make()?;
        answer.is_new_token()?;
        is_written_back(&home)?;
        ensure!(answer.log.contains("debug: ") == lines, "{level}: {}", answer.log);
        // An ignored variable with a typing mistake would look like a setting in force.
        ensure!(answer.log.contains("SHARED_TOKEN_CACHE_REPLCE") == lines, "{level}: {}", answer.log);
        ensure!(lines || answer.log.is_empty(), "{level}: {}", answer.log);
        ensure!(!answer.log.contains(&tenant(0)), "the log holds an account's id: {}", answer.log);
    }
    Ok(())
}
