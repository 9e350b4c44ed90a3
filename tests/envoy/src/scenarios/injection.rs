//! The token is on every request, and alone.

use anyhow::{Result, ensure};

use super::{Entry, for_all};
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Entry] = &[
    ("a request carries the token", for_all, carries_the_token),
    ("a client's own Authorization does not get through", for_all, replaces_the_clients),
    ("Envoy ends when it is told to", for_all, ends),
];

fn carries_the_token(stage: &mut Stage<'_>) -> Result<()> {
    let token = stage.issued.next();
    stage.cache(&token)?;
    stage.start()?;
    stage.sends(&token)?;
    let before = injected(stage)?;
    stage.get()?;
    ensure!(injected(stage)? == before + 1, "the counter of injected tokens stands still");
    Ok(())
}

fn injected(stage: &mut Stage<'_>) -> Result<u64> {
    let name = stage.leg.counter("injected");
    stage.envoy()?.stat(&name)
}

fn replaces_the_clients(stage: &mut Stage<'_>) -> Result<()> {
    stage.start()?;
    stage.upstream.forget();
    let attempts: &[&[(&str, &str)]] = &[
        &[("authorization", "Bearer forged")],
        &[("Authorization", "Basic Zm9yZ2Vk")],
        &[("authorization", "Bearer forged"), ("authorization", "Bearer forged too")],
        &[("authorization", "")],
    ];
    for headers in attempts {
        let status = stage.get_with("/own", headers)?.status;
        ensure!(status == 200, "{headers:?} ended with {status}");
    }
    let seen = stage.upstream.requests();
    ensure!(seen.len() == attempts.len(), "{} of {} requests arrived", seen.len(), attempts.len());
    // That each carries one header, with a token that was issued, is checked after every scenario.
    ensure!(!seen.iter().any(|seen| seen.authorization.concat().contains("orge")), "a client's header got through");
    Ok(())
}

fn ends(stage: &mut Stage<'_>) -> Result<()> {
    stage.start()?;
    let status = stage.envoy()?.terminate()?;
    ensure!(status.success(), "Envoy ended with {status}");
    stage.forget_envoy();
    Ok(())
}
