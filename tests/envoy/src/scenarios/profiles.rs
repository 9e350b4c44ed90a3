//! Two tokens in one Envoy.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Entry, for_all};
use crate::config::{Config, GRAPH_PROFILE, VAULT_PROFILE};
use crate::stage::Stage;
use crate::wait::{SOON, until};

pub(super) const SCENARIOS: &[Entry] = &[("two profiles on two clusters do not mix", for_all, stay_apart)];

const ROUNDS: usize = 5;

fn stay_apart(stage: &mut Stage<'_>) -> Result<()> {
    let (mut vault, mut graph) = (stage.issued.next(), stage.issued.next());
    stage.cache_two(&vault, &graph)?;
    stage.start_agent_with(&[VAULT_PROFILE, GRAPH_PROFILE], &[])?;
    let config = Config::new(stage.leg, &stage.place)?.with_graph(&stage.place)?;
    stage.start_envoy(&config)?;
    let (mut at_vault, mut at_graph) = (vec![vault.clone()], vec![graph.clone()]);
    for _ in 0..ROUNDS {
        let wanted = [format!("Bearer {vault}"), format!("Bearer {graph}")];
        until(SOON, "both tokens are sent", || {
            let seen = [stage.get_with("/vault", &[])?.body, stage.get_with("/graph", &[])?.body];
            Ok((seen == wanted).then_some(()))
        })?;
        (vault, graph) = (stage.issued.next(), stage.issued.next());
        at_vault.push(vault.clone());
        at_graph.push(graph.clone());
        stage.cache_two(&vault, &graph)?;
    }
    // The first profile's sign-in is removed; the second's remains.
    stage.cache(&vault)?;
    until(SOON, "one profile is refused", || Ok((stage.get_with("/graph", &[])?.status == 401).then_some(())))?;
    std::thread::sleep(Duration::from_millis(300));
    ensure!(stage.get_with("/vault", &[])?.status == 200, "the other profile is refused as well");
    ensure!(stage.get_with("/graph", &[])?.status == 401, "the refused profile came back");
    for seen in stage.upstream.requests() {
        let token = seen.authorization.concat();
        let token = token.trim_start_matches("Bearer ");
        let own = if seen.path == "/graph" { &at_graph } else { &at_vault };
        ensure!(own.iter().any(|own| own == token), "{token} was sent to {}", seen.path);
    }
    Ok(())
}
