//! The examples as they are in the tree.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use shared_token_cache_interop::root;

use super::{Entry, for_all};
use crate::config::Config;
use crate::envoy::validate;
use crate::stage::Stage;
use crate::yaml;

pub(super) const SCENARIOS: &[Entry] = &[
    ("Envoy accepts the example as it is", for_all, is_valid),
    ("Envoy accepts the example with TLS, as the README says", for_all, is_valid_with_tls),
];

fn is_valid(stage: &mut Stage<'_>) -> Result<()> {
    validate(stage.programs, &root().join(stage.leg.example()), &root(), stage.home.path())
}

/// The README's cluster with the example's filter, and its route. Nothing is resolved or connected
/// to.
fn is_valid_with_tls(stage: &mut Stage<'_>) -> Result<()> {
    let readme = fs::read_to_string(root().join("examples/envoy/README.md"))?;
    let mut blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let (cluster, route) = (blocks.next().context("no cluster")?, blocks.next().context("no route")?);
    let text = Config::new(stage.leg, &stage.place)?.text().to_owned();
    let (text, own) = yaml::take(&text, "- name: vault")?;
    let options = own.get(yaml::item(&own, "typed_extension_protocol_options:")?).unwrap_or_default();
    let trusted = stage.place.ca.display().to_string();
    let cluster = cluster.replace("/etc/ssl/certs/ca-certificates.crt", &trusted);
    let text = text.replace("                route: {cluster: vault}\n", route) + &cluster + options;
    ensure!(text.contains("host_rewrite_literal") && text.contains(&trusted), "the README fits the example no more");
    let path = stage.place.folder.join("tls.yaml");
    fs::write(&path, text)?;
    validate(stage.programs, &path, &root(), stage.home.path())
}
