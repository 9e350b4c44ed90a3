//! The agent comes and goes.

use anyhow::{Result, ensure};

use super::{Entry, with_agent};
use crate::config::{Config, VAULT_PROFILE};
use crate::leg::Leg;
use crate::stage::Stage;
use crate::wait::{SOON, until};

pub(super) const SCENARIOS: &[Entry] = &[
    ("no agent at the start: refused, until there is one", with_agent, comes_late),
    ("the agent is killed: its last token stays, the next one's comes", with_agent, is_killed),
    ("the agent ends: refused, until there is one", with_agent, ends),
];

fn comes_late(stage: &mut Stage<'_>) -> Result<()> {
    stage.start_envoy(&Config::new(stage.leg, &stage.place)?)?;
    stage.refuses()?;
    ensure!(stage.upstream.requests().is_empty(), "a request got through without an agent");
    stage.start_agent()?;
    stage.passes()
}

fn is_killed(stage: &mut Stage<'_>) -> Result<()> {
    let (first, second) = (stage.issued.next(), stage.issued.next());
    stage.cache(&first)?;
    stage.start()?;
    connected(stage, 1)?;
    stage.kill_agent()?;
    stage.cache(&second)?;
    connected(stage, 0)?;
    for _ in 0..50 {
        let answer = stage.get()?;
        ensure!(answer.status == 200 && answer.body == format!("Bearer {first}"), "without its agent, {answer:?}");
    }
    stage.start_agent()?;
    stage.sends(&second)?;
    connected(stage, 1)
}

/// Waits until the gauge says so that users are to have an alert on. A file has no connection.
fn connected(stage: &mut Stage<'_>, wanted: u64) -> Result<()> {
    let envoy = if stage.leg == Leg::Sds { stage.envoy()? } else { return Ok(()) };
    until(SOON, &format!("the connection's state is {wanted}"), || {
        Ok((envoy.stat(&format!("sds.{VAULT_PROFILE}.control_plane.connected_state"))? == wanted).then_some(()))
    })
}

fn ends(stage: &mut Stage<'_>) -> Result<()> {
    stage.start()?;
    let status = stage.terminate_agent()?;
    ensure!(status.success(), "the agent ended with {status}");
    stage.upstream.forget();
    stage.refuses()?;
    ensure!(stage.upstream.requests().is_empty(), "a token outlived the agent that ended");
    stage.start_agent()?;
    stage.passes()
}
