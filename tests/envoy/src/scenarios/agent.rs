//! The agent starts, ends and is killed.

use anyhow::{Result, ensure};
use shared_token_cache_interop::say;

use super::{Entry, with_agent};
use crate::config::{Config, VAULT_PROFILE};
use crate::leg::Leg;
use crate::stage::Stage;
use crate::wait::{SOON, until};

pub(super) const SCENARIOS: &[Entry] = &[
    ("no agent at the start: refused, until there is one", with_agent, comes_late),
    ("the agent is killed: its last token stays, the next one's comes", with_agent, is_killed),
    ("the agent ends by any signal: refused, until there is one", with_agent, ends),
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

/// Waits until the gauge has the value that the README advises to alert on. File SDS has no
/// connection.
fn connected(stage: &mut Stage<'_>, wanted: u64) -> Result<()> {
    let envoy = if stage.leg == Leg::Sds { stage.envoy()? } else { return Ok(()) };
    until(SOON, &format!("the connection's state is {wanted}"), || {
        Ok((envoy.stat(&format!("sds.{VAULT_PROFILE}.control_plane.connected_state"))? == wanted).then_some(()))
    })
}

/// The signals of `kill`, of a closed terminal, of Ctrl-C and of Ctrl-\.
const ENDS: [&str; 4] = ["TERM", "HUP", "INT", "QUIT"];

fn ends(stage: &mut Stage<'_>) -> Result<()> {
    stage.start()?;
    for signal in ENDS {
        if signal == "HUP" && hang_ups_are_ignored() {
            say("          skipped: SIGHUP, because this process ignores it (`nohup`), and so does the agent");
            continue;
        }
        let status = stage.end_agent_by(signal)?;
        ensure!(status.success(), "after SIG{signal} the agent ended with {status}");
        stage.upstream.forget();
        stage.refuses()?;
        ensure!(stage.upstream.requests().is_empty(), "a token outlived the agent that SIG{signal} ended");
        stage.start_agent()?;
        stage.passes()?;
    }
    Ok(())
}

/// Signals that are ignored stay so in programs that are started: proc(5), `SigIgn`, and SIGHUP is the first.
fn hang_ups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
