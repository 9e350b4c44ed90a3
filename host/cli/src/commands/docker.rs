//! `docker-credential`: a credential helper of Docker and other container tools for Azure Container
//! Registry.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::ExitCode;

use serde::Serialize;
use shared_token_cache::{Registry, TransportOptions};
use zeroize::Zeroizing;

use super::arguments::DockerCredential;
use super::broker::tenant_of;
use super::output::{Failure, print_secret};
use super::presets::Preset;
use super::{credential, helper};

/// The text on stdout by which container tools recognise that a helper has no password for a
/// registry. They then try without one.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The username for which the password is a registry's refresh token.
const USER: &str = "00000000-0000-0000-0000-000000000000";

/// The longest accepted name of a registry.
const LONGEST: u64 = 4096;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    #[serde(rename = "ServerURL")]
    server_url: &'a str,
    username: &'a str,
    secret: &'a str,
}

pub(super) async fn run(arguments: DockerCredential) -> Result<ExitCode, Failure> {
    match arguments.operation.as_str() {
        "get" => {}
        "list" => {
            print_secret(b"{}\n")?;
            return Ok(ExitCode::SUCCESS);
        }
        // The sign-in belongs to the cache, so `erase` does nothing.
        "erase" => return Ok(ExitCode::SUCCESS),
        other => {
            let what = format!("{other:?} is not supported: the helper only gives tokens of the sign-in that is there");
            return Err(Failure::invalid(what));
        }
    }
    let mut server = String::new();
    BufReader::new(std::io::stdin().lock().take(LONGEST)).read_line(&mut server).map_err(Failure::other)?;
    let server = server.trim();
    let Ok(registry) = Registry::parse(server) else {
        drop(writeln!(std::io::stdout(), "{NOT_FOUND}"));
        return Ok(ExitCode::FAILURE);
    };
    let policy = credential::policy(&arguments.with.sign_in)?;
    let mut transport = TransportOptions::default();
    transport.ca_file.clone_from(&arguments.with.ca_file);
    let named = arguments.with.request_tenant.clone();
    let token = helper::token(arguments.with, Preset::Acr).await?;
    let tenant = tenant_of(token.token.expose()).or(named);
    let secret = registry.exchange(&token.token, tenant.as_deref(), &policy, transport).await?;
    let secret = secret.expose();
    let mut line = Zeroizing::new(Vec::with_capacity(6 * (secret.len() + server.len()) + 256));
    serde_json::to_writer(&mut *line, &Answer { server_url: server, username: USER, secret })
        .map_err(Failure::other)?;
    line.push(b'\n');
    print_secret(&line)?;
    Ok(ExitCode::SUCCESS)
}
