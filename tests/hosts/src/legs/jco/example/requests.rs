//! Requests of the class and their destinations.

use anyhow::{Result, ensure};
use serde_json::json;
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::sign_in::Home;
use token_endpoint::{Received, Reply};

use super::World;
use crate::scene::Scene;

pub(super) fn rules(world: &World<'_>) -> Result<()> {
    let mut busy = 2;
    let respond = move |request: &Received| match request.path.as_str() {
        "/redirect/oauth2/v2.0/token" => Reply::json(307, json!({})).header("location", "/elsewhere/oauth2/v2.0/token"),
        "/endless/oauth2/v2.0/token" => Reply::bytes(200, "text/plain", vec![b' '; 1 << 16]).in_chunks(1000),
        "/busy/oauth2/v2.0/token" if busy > 0 => {
            busy -= 1;
            Reply::json(503, json!({}))
        }
        _ => Reply::json(200, json!({})),
    };
    let home = Home::with(None)?;
    let authority = Authority::answering(Scheme::Https, respond)?;
    world.run("rules.mjs", &home, &authority, json!({ "trusted": true }))?;
    let requests = authority.requests();
    let tenants: Vec<_> = requests.iter().filter_map(|request| request.path.split('/').nth(1)).collect();
    ensure!(tenants == ["good", "redirect", "endless", "busy", "busy", "busy"], "requests for {tenants:?}");
    Ok(())
}

pub(super) fn untrusted(world: &World<'_>) -> Result<()> {
    let home = Home::with(None)?;
    let authority = Authority::start(Scheme::Https)?;
    let scene = Scene { ca: None, ..world.scene(&home, &authority) };
    world.run_in("rules.mjs", &scene, json!({ "trusted": false }), &[("NODE_TLS_REJECT_UNAUTHORIZED", "0")])?;
    ensure!(authority.requests().is_empty(), "a request was made");
    Ok(())
}
