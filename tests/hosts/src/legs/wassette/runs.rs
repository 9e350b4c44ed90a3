//! Checks of Wassette alone.

use anyhow::{Result, ensure};
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::sign_in::{Home, expired};
use token_endpoint::sign_in::{PUBLIC, SignIn, VAULT, access_token, document, new_access_token};

use super::mcp::Session;
use super::policy::Example;
use super::{Wassette, host};
use crate::scenario::{is_redeemed_once, is_token};
use crate::scene::{Components, Granted, Operation, Scene};

/// The example's policy with its home folder replaced: the public cloud's cached token is returned,
/// and no request is sent.
pub(super) fn the_example_as_it_is(wassette: &Wassette, components: &Components) -> Result<()> {
    let home = signed_in_to_the_public_cloud()?;
    wassette.grant_by_file(&Example::read()?.at_home(home.path())?)?;
    let (outcome, log) = wassette.invoke(&scene(components, &home, PUBLIC))?;
    is_token(&outcome, &access_token(0, VAULT))?;
    ensure!(log.is_empty(), "logged: {log}");
    Ok(())
}

/// Without `HOME` and other variables, the adapter finds the granted folder and uses the public
/// cloud, whatever Wassette's own environment contains.
pub(super) fn no_environment(wassette: &Wassette, components: &Components) -> Result<()> {
    let home = signed_in_to_the_public_cloud()?;
    wassette.grant(&["reset"], &[])?;
    let folder = format!("fs://{}/.IdentityService", home.path().display());
    wassette.grant(&["grant", "storage"], &[&folder, "--access", "read"])?;
    let (outcome, _) = wassette.invoke(&scene(components, &home, "login.contoso.com"))?;
    is_token(&outcome, &access_token(0, VAULT))
}

/// The new token reaches the caller although the cache can't be written, and a warning reaches the
/// user.
pub(super) fn read_only(wassette: &Wassette, components: &Components) -> Result<()> {
    let (before, authority) = (expired()?, Authority::start(Scheme::Http)?);
    let home = Home::with(Some(&before))?;
    let scene = scene(components, &home, &authority.name());
    wassette.grant_by_file(&Example::read()?.for_scene(&scene)?.replace(r#"["read", "write"]"#, r#"["read"]"#))?;
    let (outcome, log) = wassette.invoke(&scene)?;
    is_token(&outcome, &new_access_token(0))?;
    is_redeemed_once(&authority)?;
    ensure!(home.text()? == before, "the cache file has changed");
    ensure!(home.beside()?.is_empty(), "something lies beside the cache");
    ensure!(log.contains("was not updated") && log.contains("reading only"), "the warning is missing: {log:?}");
    Ok(())
}

/// Wassette's own tools load components and grant permissions. This server offers a model the
/// component's tools alone.
pub(super) fn no_tool_grants(wassette: &Wassette, components: &Components) -> Result<()> {
    let home = Home::with(None)?;
    let mut session = Session::start(&mut wassette.command(&scene(components, &home, host(PUBLIC))))?;
    let tools = session.tools()?;
    let ours = |name: &String| name.starts_with("azure-identity_shared-token-cache_");
    ensure!(!tools.is_empty() && tools.iter().all(ours), "other tools: {}", tools.join(", "));
    Ok(())
}

fn signed_in_to_the_public_cloud() -> Result<Home> {
    Home::with(Some(&document(&[SignIn::new(0, PUBLIC).access_token(VAULT)])))
}

fn scene(components: &Components, home: &Home, authority: &str) -> Scene {
    Scene {
        components: components.clone(),
        home: home.path().to_path_buf(),
        authority: authority.to_owned(),
        ca: None,
        granted: Granted::ALL,
        operation: Operation::GetToken,
        scopes: vec![VAULT.to_owned()],
    }
}
