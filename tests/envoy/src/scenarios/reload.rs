//! The module is reconfigured in a running Envoy.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use shared_token_cache_interop::say;

use super::{Entry, with_module};
use crate::config::{CLUSTERS, Config, LISTENERS, VAULT_PROFILE};
use crate::load::{Load, Report};
use crate::stage::Stage;
use crate::wait::{SOON, until};

pub(super) const SCENARIOS: &[Entry] = &[
    ("the module's listener is replaced under load", with_module, replaces_the_listener),
    ("the module's cluster is replaced under load", with_module, replaces_the_cluster),
    ("the module gets another configuration under load", with_module, changes),
    ("a bad configuration is refused, and the old one stays", with_module, refuses_a_bad_one),
];

const SWAPS: usize = 6;

const LOAD: Load = Load { connections: 4, requests: 3_000, pace: Some(Duration::from_millis(2)), headers: &[] };

fn replaces_the_listener(stage: &mut Stage<'_>) -> Result<()> {
    let (config, listener) = Config::new(stage.leg, &stage.place)?.with_listener_apart(&stage.place.folder)?;
    let file = File { path: stage.place.folder.join(LISTENERS), accepted: "listener_manager.lds.update_success" };
    let versions = |number: usize| listener.replace("stat_prefix: api", &format!("stat_prefix: api{number}"));
    all_pass(&under_load(stage, &config, &file, versions)?)
}

fn replaces_the_cluster(stage: &mut Stage<'_>) -> Result<()> {
    let (config, cluster) = Config::new(stage.leg, &stage.place)?.with_cluster_apart(&stage.place.folder)?;
    let file = File { path: stage.place.folder.join(CLUSTERS), accepted: "cluster_manager.cds.update_success" };
    let versions = |number: usize| cluster.replace("connect_timeout: 5s", &format!("connect_timeout: {}s", number + 5));
    all_pass(&under_load(stage, &config, &file, versions)?)
}

/// A new audit file each time, so no configuration reuses the state of the one before.
fn changes(stage: &mut Stage<'_>) -> Result<()> {
    let (config, cluster) = Config::new(stage.leg, &stage.place)?.with_cluster_apart(&stage.place.folder)?;
    let file = File { path: stage.place.folder.join(CLUSTERS), accepted: "cluster_manager.cds.update_success" };
    let audit = stage.place.folder.join("module-audit").display().to_string();
    let versions =
        |number: usize| cluster.replace("\"profile\":", &format!("\"audit\":\"{audit}-{number}\",\"profile\":"));
    ensure!(versions(0) != cluster, "the configuration is not where it should be");
    all_pass(&under_load(stage, &config, &file, versions)?)
}

fn refuses_a_bad_one(stage: &mut Stage<'_>) -> Result<()> {
    let (config, listener) = Config::new(stage.leg, &stage.place)?.with_listener_apart(&stage.place.folder)?;
    let file = File { path: stage.place.folder.join(LISTENERS), accepted: "listener_manager.lds.update_success" };
    file.write(&listener)?;
    stage.start_envoy(&config)?;
    stage.passes()?;
    let good = stage.place.module_config(VAULT_PROFILE);
    let other = stage.place.module_config("entra/other");
    for (number, bad) in ["{}", "{policy: /nowhere.toml, profile: entra/vault}", &other].into_iter().enumerate() {
        let rejected = listener.replace(&good, bad);
        ensure!(rejected != listener, "the configuration is not where it should be");
        file.write(&rejected)?;
        let number = number as u64 + 1;
        until(SOON, &format!("{bad} is refused"), || {
            Ok((stage.envoy()?.stat("listener_manager.lds.update_rejected")? >= number).then_some(()))
        })?;
        stage.get().and_then(|answer| {
            ensure!(answer.status == 200, "with {bad}, a request ended with {}", answer.status);
            Ok(())
        })?;
    }
    let log = stage.envoy()?.log()?;
    ensure!(log.contains("entra/other"), "Envoy's log does not name the missing profile");
    let said = log.lines().find(|line| line.contains("entra/other")).unwrap_or_default();
    say(&format!("          {}", said.rsplit("] ").next().unwrap_or_default()));
    Ok(())
}

/// A file with resources, and the counter of its accepted versions.
struct File {
    path: PathBuf,
    accepted: &'static str,
}

impl File {
    fn write(&self, text: &str) -> Result<()> {
        let new = self.path.with_extension("new");
        fs::write(&new, text)?;
        Ok(fs::rename(new, &self.path)?)
    }
}

/// Replaces the file with one version after the other while requests are sent.
fn under_load(
    stage: &mut Stage<'_>,
    config: &Config,
    file: &File,
    version: impl Fn(usize) -> String,
) -> Result<Report> {
    file.write(&version(0))?;
    stage.start_envoy(config)?;
    stage.passes()?;
    let listener = stage.listener()?;
    let report = std::thread::scope(|scope| {
        let load = scope.spawn(|| LOAD.run(listener));
        for number in 1..=SWAPS {
            let before = stage.envoy()?.stat(file.accepted)?;
            file.write(&version(number))?;
            until(SOON, "a new version is accepted", || {
                Ok((stage.envoy()?.stat(file.accepted)? > before).then_some(()))
            })?;
            let token = stage.issued.next();
            stage.cache(&token)?;
            stage.sends(&token)?;
        }
        load.join().unwrap_or_else(|_| anyhow::bail!("the load panicked"))
    })?;
    ensure!(report.broken.is_empty(), "{} broke, as {:?}", report.broken.len(), report.broken.first());
    Ok(report)
}

fn all_pass(report: &Report) -> Result<()> {
    ensure!(report.statuses == BTreeMap::from([(200, LOAD.requests)]), "they ended with {:?}", report.statuses);
    Ok(())
}
