//! Pages and logs of Envoy and the agent contain no token.

use anyhow::{Result, ensure};
use token_endpoint::sign_in::MARK;

use super::{Entry, for_all};
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Entry] = &[("no page of Envoy or the agent shows a token", for_all, shows_no_token)];

/// All admin pages that only show state.
const PAGES: &[&str] = &[
    "/certs",
    "/clusters?format=json",
    "/config_dump",
    "/config_dump?include_eds",
    "/config_dump?resource=dynamic_active_secrets",
    "/config_dump?resource=static_secrets",
    "/contention",
    "/hot_restart_version",
    "/init_dump",
    "/listeners?format=json",
    "/memory",
    "/runtime",
    "/server_info",
    "/stats?format=json",
    "/stats/prometheus",
];

fn shows_no_token(stage: &mut Stage<'_>) -> Result<()> {
    stage.start()?;
    for _ in 0..3 {
        let token = stage.issued.next();
        stage.cache(&token)?;
        stage.sends(&token)?;
    }
    let envoy = stage.envoy()?;
    for page in PAGES {
        let answer = envoy.admin(page)?;
        ensure!(!answer.body.contains(MARK), "{page} shows a token");
    }
    let dump = envoy.admin("/config_dump?include_eds")?;
    ensure!(dump.status == 200 && dump.body.contains("entra/vault"), "the dump says nothing of the profile");
    if stage.leg.has_agent() {
        let metrics = stage.agent()?.metrics()?;
        ensure!(metrics.status == 200 && metrics.body.contains("entra/vault"), "the agent's page says nothing");
        ensure!(!metrics.body.contains(MARK), "the agent's page shows a token");
    }
    Ok(())
}
