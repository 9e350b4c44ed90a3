//! Every request carries one token.

use anyhow::{Result, ensure};

use super::{Entry, for_all};
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Entry] = &[
    ("a request carries the token", for_all, carries_the_token),
    ("a client's own Authorization does not get through", for_all, replaces_the_clients),
    ("a web page gets nothing", for_all, serves_no_web_page),
    ("Envoy ends on a signal", for_all, ends),
];

fn carries_the_token(stage: &mut Stage<'_>) -> Result<()> {
    let token = stage.issued.next();
    stage.cache(&token)?;
    stage.start()?;
    stage.sends(&token)?;
    let before = injected(stage)?;
    stage.get()?;
    ensure!(injected(stage)? == before + 1, "the counter of injected tokens did not grow");
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
    // `Stage` checks after every scenario that each request carries one header with an issued
    // token.
    ensure!(!seen.iter().any(|seen| seen.authorization.concat().contains("orge")), "a client's header got through");
    Ok(())
}

fn serves_no_web_page(stage: &mut Stage<'_>) -> Result<()> {
    stage.start()?;
    stage.upstream.forget();
    let attempts: &[&[(&str, &str)]] = &[
        // DNS rebinding: a page whose own name resolves to this machine's address.
        &[("host", "evil.example")],
        &[("host", "evil.example:10000")],
        &[("host", "localhost.evil.example")],
        &[("origin", "https://evil.example")],
        &[("sec-fetch-site", "cross-site")],
        // Navigation from the address bar or a bookmark: a link may have led the user there.
        &[("sec-fetch-site", "none")],
    ];
    for headers in attempts {
        let status = stage.get_with("/", headers)?.status;
        ensure!(status == 404, "{headers:?} ended with {status}");
    }
    ensure!(stage.upstream.requests().is_empty(), "a request of a web page got through");
    for host in ["localhost", "localhost:10000", "127.0.0.1:10000"] {
        let status = stage.get_with("/", &[("host", host)])?.status;
        ensure!(status == 200, "under {host}, a request ended with {status}");
    }
    Ok(())
}

fn ends(stage: &mut Stage<'_>) -> Result<()> {
    stage.start()?;
    let status = stage.envoy()?.terminate()?;
    ensure!(status.success(), "Envoy ended with {status}");
    stage.forget_envoy();
    Ok(())
}
