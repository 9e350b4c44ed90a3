//! The class in clients of the Azure SDK.

use std::fs;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::json;
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::sign_in::{self, Home};
use token_endpoint::sign_in::{MARK, new_access_token, new_refresh_token, token_reply};
use token_endpoint::{Received, Reply};

use super::{World, is_token_endpoint, reply_with};

pub(super) fn types(world: &World<'_>) -> Result<()> {
    world.node.check_types()
}

/// A resource's claims challenge for a newer token:
/// `{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}`.
const CHALLENGE: &str = concat!(
    r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", "#,
    r#"error="insufficient_claims", "#,
    r#"claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzAwMDAwMDAwIn19fQ==""#
);

pub(super) fn pipeline(world: &World<'_>) -> Result<()> {
    let under_claims = format!("at-{MARK}-under-claims");
    let wanted = format!("Bearer {under_claims}");
    let respond = move |request: &Received| match (request.path.as_str(), request.field("claims")) {
        (path, Some(claims)) if is_token_endpoint(path) && claims.contains(r#""nbf""#) => {
            Reply::json(200, reply_with("access_token", &under_claims))
        }
        (path, _) if is_token_endpoint(path) => Reply::json(200, token_reply(0)),
        ("/challenged", _) if request.header("authorization") != Some(&wanted) => {
            Reply::json(401, json!({})).header("www-authenticate", CHALLENGE)
        }
        _ => Reply::json(200, json!({})),
    };
    let home = Home::with(Some(&sign_in::expired()?))?;
    // The SDK's policy requests tokens under Continuous Access Evaluation, which have a file of
    // their own.
    fs::rename(home.cache(), home.cache().with_extension("cae"))?;
    let authority = Authority::answering(Scheme::Https, respond)?;
    world.run("pipeline.mjs", &home, &authority, json!({}))?;

    let requests = authority.requests();
    let (redeemed, got): (Vec<_>, Vec<_>) = requests.iter().partition(|request| is_token_endpoint(&request.path));
    let [first, second] = redeemed.as_slice() else { bail!("{} token requests were made", redeemed.len()) };
    ensure!(!first.field("claims").is_some_and(|claims| claims.contains("nbf")), "claims before the challenge");
    ensure!(
        second.field("refresh_token") == Some(&new_refresh_token(0)),
        "not the refresh token that was written back"
    );
    let got: Vec<_> = got
        .iter()
        .map(|request| (request.path.as_str(), request.header("authorization").unwrap_or_default()))
        .collect();
    let (plain, under_claims) = (format!("Bearer {}", new_access_token(0)), format!("Bearer at-{MARK}-under-claims"));
    let expected = [
        ("/first", plain.as_str()),
        ("/cached-by-the-policy", &plain),
        ("/cached-in-the-file", &plain),
        ("/challenged", &plain),
        ("/challenged", &under_claims),
    ];
    ensure!(got == expected, "the resource got {got:?}");
    Ok(())
}

pub(super) fn chain(world: &World<'_>) -> Result<()> {
    let refusal = json!({
        "error": "interaction_required",
        "error_description": "AADSTS50076: use multi-factor authentication",
        "error_codes": [50076],
        "correlation_id": "00000000-0000-0000-0000-000000000001",
    });
    let home = Home::with(Some(&sign_in::expired()?))?;
    let authority = Authority::answering(Scheme::Https, move |_| Reply::json(400, refusal.clone()))?;
    world.run("chain.mjs", &home, &authority, json!({}))?;
    ensure!(authority.requests().len() == 1, "{} requests were made", authority.requests().len());
    Ok(())
}

pub(super) fn thread(world: &World<'_>) -> Result<()> {
    let delay = Duration::from_millis(1500);
    let home = Home::with(Some(&sign_in::expired()?))?;
    let authority = Authority::answering(Scheme::Https, move |_| Reply::json(200, token_reply(0)).after(delay))?;
    world.run("thread.mjs", &home, &authority, json!({ "delay": delay.as_millis() }))?;
    // One request for the two calls, and one for each aborted call.
    ensure!(authority.requests().len() == 3, "{} requests were made", authority.requests().len());
    Ok(())
}
