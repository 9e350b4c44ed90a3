//! Token rotation in a running Envoy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use shared_token_cache_interop::say;
use token_endpoint::sign_in::{LOCAL, SignIn, document};

use super::{Entry, for_all};
use crate::issued::LIFETIME;
use crate::load::Load;
use crate::stage::Stage;
use crate::wait::until;

pub(super) const SCENARIOS: &[Entry] = &[
    ("a token that another program caches is sent from then on", for_all, follows_the_cache),
    ("a token is renewed ahead of its expiry", for_all, renews),
    ("an authority that is busy every other time refuses no request", for_all, renews_in_spite_of_hiccups),
    ("10,000 requests during rotation, none lost", for_all, loses_none),
];

fn follows_the_cache(stage: &mut Stage<'_>) -> Result<()> {
    stage.start()?;
    let mut times = Vec::new();
    for _ in 0..5 {
        let token = stage.issued.next();
        let cached = Instant::now();
        stage.cache(&token)?;
        stage.sends(&token)?;
        times.push(cached.elapsed());
    }
    times.sort_unstable();
    say(&format!("          a cached token was sent after {:.0?} (median of 5)", times.get(2).context("no times")?));
    Ok(())
}

/// The number of renewals to wait for.
const RENEWALS: usize = 4;

/// Tokens are renewed at half their lifetime.
const FOR_RENEWALS: Duration = Duration::from_secs(30);

fn renews(stage: &mut Stage<'_>) -> Result<()> {
    let (requests, time) = through_renewals(stage, false)?;
    // Twice the expected rate: a renewal must not trigger the next one.
    let enough = time.as_secs() * 2 / LIFETIME * 2 + 2;
    ensure!(
        requests <= enough,
        "{requests} requests to the authority in {time:.1?}, for tokens that live {LIFETIME} s"
    );
    Ok(())
}

fn renews_in_spite_of_hiccups(stage: &mut Stage<'_>) -> Result<()> {
    through_renewals(stage, true).map(drop)
}

/// Sends requests during renewals, none of which may be refused. Returns the number of token
/// requests and the duration.
fn through_renewals(stage: &mut Stage<'_>, hiccups: bool) -> Result<(u64, Duration)> {
    // A sign-in without an access token forces a token request.
    stage.home.replace(&document(&[SignIn::new(0, LOCAL)]))?;
    stage.start()?;
    // The module has no token before the first response.
    stage.passes()?;
    stage.issued.set_hiccups(hiccups);
    let (mut tokens, mut refused, started) = (BTreeSet::new(), 0, Instant::now());
    until(FOR_RENEWALS, "renewals", || {
        let answer = stage.get()?;
        if answer.status == 200 {
            tokens.insert(answer.body);
        } else {
            refused += 1;
        }
        Ok((tokens.len() > RENEWALS).then_some(()))
    })?;
    ensure!(refused == 0, "{refused} requests were refused between tokens");
    Ok((stage.authority.requests().len() as u64, started.elapsed()))
}

/// One request per millisecond, for as long as the rotation takes.
const MANY: Load = Load { connections: 8, requests: 10_000, pace: Some(Duration::from_millis(1)), headers: &[] };

/// Longer than the interval at which caches are polled, four times a second.
const ROTATION: Duration = Duration::from_millis(300);

const ENOUGH: usize = 20;

fn loses_none(stage: &mut Stage<'_>) -> Result<()> {
    stage.start()?;
    stage.upstream.forget();
    let listener = stage.listener()?;
    let report = std::thread::scope(|scope| {
        let load = scope.spawn(|| MANY.run(listener));
        while !load.is_finished() {
            stage.cache(&stage.issued.next())?;
            std::thread::sleep(ROTATION);
        }
        load.join().unwrap_or_else(|_| anyhow::bail!("the load panicked"))
    })?;
    ensure!(report.broken.is_empty(), "{} broke, as {:?}", report.broken.len(), report.broken.first());
    ensure!(report.statuses == BTreeMap::from([(200, MANY.requests)]), "they ended with {:?}", report.statuses);
    let seen = stage.upstream.requests();
    ensure!(seen.len() == MANY.requests as usize, "{} arrived", seen.len());
    let tokens: BTreeSet<_> = seen.into_iter().flat_map(|seen| seen.authorization).collect();
    ensure!(tokens.len() >= ENOUGH, "only {} tokens were sent meanwhile", tokens.len());
    say(&format!("          {} requests with {} tokens", MANY.requests, tokens.len()));
    Ok(())
}
