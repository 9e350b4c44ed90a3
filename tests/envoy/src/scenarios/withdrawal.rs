//! Sign-out and sign-in.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use shared_token_cache_interop::say;
use token_endpoint::sign_in::{LOCAL, SignIn, document};

use super::{Entry, for_all};
use crate::config::Config;
use crate::issued::LIFETIME;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Entry] = &[
    ("no sign-in at the start: refused, until there is one", for_all, comes_late),
    ("the sign-in goes: withdrawn within a second", for_all, goes),
    ("the authority goes: the token until it expires, and a new one when it is back", for_all, authority_goes),
];

/// How long requests may carry a token after its sign-in was removed.
const WITHDRAWN: Duration = Duration::from_secs(1);

fn comes_late(stage: &mut Stage<'_>) -> Result<()> {
    stage.sign_out()?;
    stage.start_agent()?;
    stage.start_envoy(&Config::new(stage.leg, &stage.place)?)?;
    stage.refuses()?;
    ensure!(stage.upstream.requests().is_empty(), "a request got through without a sign-in");
    let name = stage.leg.counter("failed");
    ensure!(stage.envoy()?.stat(&name)? > 0, "no request was counted as {name}");
    let token = stage.issued.next();
    stage.cache(&token)?;
    stage.sends(&token)
}

fn goes(stage: &mut Stage<'_>) -> Result<()> {
    stage.start()?;
    let gone = Instant::now();
    stage.sign_out()?;
    let after = stage.refuses()?.map_or(Duration::ZERO, |last| last.saturating_duration_since(gone));
    say(&format!("          the last request passed {after:.0?} after the sign-in had gone"));
    ensure!(after <= WITHDRAWN, "the token was sent for {after:?} more");
    let token = stage.issued.next();
    stage.cache(&token)?;
    stage.sends(&token)
}

fn authority_goes(stage: &mut Stage<'_>) -> Result<()> {
    stage.home.replace(&document(&[SignIn::new(0, LOCAL)]))?;
    stage.start()?;
    stage.issued.set_down(true);
    let gone = Instant::now();
    // `Stage` checks after every scenario that no expired token was sent.
    let after = stage.refuses()?.map_or(Duration::ZERO, |last| last.saturating_duration_since(gone));
    say(&format!("          the last request passed {after:.1?} after the authority had gone"));
    ensure!(after >= Duration::from_secs(LIFETIME / 2 - 1), "the token was withdrawn before it expired");
    stage.issued.set_down(false);
    stage.passes()
}
