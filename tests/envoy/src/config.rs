//! Envoy's configuration for a scene: the example that users copy, with the scene's ports and paths.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::json;
use shared_token_cache_interop::example::Example;

use crate::leg::Leg;
use crate::yaml;

/// The profile of the examples.
pub(crate) const VAULT_PROFILE: &str = "entra/vault";

/// A second profile, for requests below `/graph`.
pub(crate) const GRAPH_PROFILE: &str = "entra/graph";

/// The module's configuration in the example.
const MODULE_CONFIG: &str = "{policy: examples/envoy/policy.toml, profile: entra/vault}";

/// The cluster of the examples.
const CLUSTER: &str = "- name: vault";

const ROUTES: &str = "          route_config:\n";

/// The values that differ between scenes.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// A folder for sockets, tokens and the like.
    pub(crate) folder: PathBuf,
    pub(crate) upstream_port: u16,
    /// The module's path, followed by its settings besides the profile.
    pub(crate) module: PathBuf,
    pub(crate) policy: PathBuf,
    pub(crate) authority: String,
    pub(crate) ca: PathBuf,
}

impl Place {
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("sds.sock")
    }

    /// The file that the agent writes a profile's token to.
    pub(crate) fn token_file(&self, profile: &str) -> PathBuf {
        self.folder.join(format!("{}.token", profile.replace('/', "-")))
    }

    /// The module's configuration, as JSON.
    pub(crate) fn module_config(&self, profile: &str) -> String {
        json!({ "policy": self.policy, "profile": profile, "ca_file": self.ca, "authority": self.authority })
            .to_string()
    }
}

/// A configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    leg: Leg,
    text: String,
}

impl Config {
    /// The example with this place's paths and ports.
    pub(crate) fn new(leg: Leg, place: &Place) -> Result<Self> {
        let path = |path: &Path| path.display().to_string();
        let mut example = Example::read(file(leg))?
            .with("port_value: 9901", "port_value: 0")?
            .with("port_value: 10000", "port_value: 0")?
            .with("port_value: 10001", &format!("port_value: {}", place.upstream_port))?;
        example = match leg {
            Leg::Sds => example.with("target/envoy/sds.sock", &path(&place.socket()))?,
            Leg::FileSds => {
                let secret = write_secret(place, VAULT_PROFILE)?;
                example.with("examples/envoy/file-sds-secret.yaml", &path(&secret))?
            }
            Leg::DynamicModule => example
                .with("target/release/libshared_token_cache_envoy.so", &path(&place.module))?
                .with(MODULE_CONFIG, &place.module_config(VAULT_PROFILE))?
                // Envoy requires a node for every configuration source that is a file.
                .with("admin:\n", "node: {id: test, cluster: test}\n\nadmin:\n")?,
        };
        Ok(Self { leg, text: example.into_text() })
    }

    /// Removes the filter that injects.
    pub(crate) fn without_injection(self) -> Result<Self> {
        Ok(Self { text: yaml::take(&self.text, self.leg.filter())?.0, ..self })
    }

    /// Replaces Envoy's gRPC client with gRPC's own library.
    pub(crate) fn with_google_grpc(self, place: &Place) -> Result<Self> {
        let range = yaml::item(&self.text, "- envoy_grpc:")?;
        let mut text = self.text;
        let margin = " ".repeat(22);
        let target = format!("target_uri: \"unix:{}\"", place.socket().display());
        text.replace_range(range, &format!("{margin}- google_grpc: {{{target}, stat_prefix: sds}}\n"));
        Ok(Self { text, ..self })
    }

    /// Adds a health check of the agent for a service.
    pub(crate) fn with_health_check(mut self, service: &str) -> Result<Self> {
        let name = "- name: token-agent\n";
        let at = self.text.find(name).context("the example has no cluster for the agent")? + name.len();
        let check = format!("{{service_name: \"{service}\"}}");
        let times =
            "timeout: 1s, interval: 0.5s, no_traffic_interval: 0.5s, unhealthy_threshold: 1, healthy_threshold: 1";
        self.text.insert_str(at, &format!("    health_checks: [{{{times}, grpc_health_check: {check}}}]\n"));
        Ok(self)
    }

    /// Adds a second cluster under the second profile, for requests below `/graph`.
    pub(crate) fn with_graph(mut self, place: &Place) -> Result<Self> {
        let mut cluster = self.text.get(yaml::item(&self.text, CLUSTER)?).unwrap_or_default().to_owned();
        if self.leg == Leg::FileSds {
            let secrets = [VAULT_PROFILE, GRAPH_PROFILE].map(|profile| secret(place, profile).display().to_string());
            let [vault, _] = &secrets;
            write_secret(place, GRAPH_PROFILE)?;
            cluster = cluster.replace(vault, &secret(place, GRAPH_PROFILE).display().to_string());
        }
        let cluster = cluster
            .replace("- name: vault", "- name: graph")
            .replace("cluster_name: vault", "cluster_name: graph")
            .replace(VAULT_PROFILE, GRAPH_PROFILE);
        self.text.push_str(&cluster);
        let route = "- match: {prefix: /,";
        let at = self.text.find(route).context("the example has another route")?;
        let margin = " ".repeat(14);
        let new = format!("- match: {{prefix: /graph}}\n{margin}  route: {{cluster: graph}}\n{margin}");
        self.text.insert_str(at, &new);
        Ok(self)
    }

    /// Moves the filter to the listener, and the listener to a file of its own, whose text is the
    /// second value.
    pub(crate) fn with_listener_apart(self, folder: &Path) -> Result<(Self, String)> {
        let (text, filter) = yaml::take(&self.text, self.leg.filter())?;
        let (text, listener) = yaml::take(&text, "- name: api")?;
        let router = listener.find("          - name: envoy.filters.http.router").context("there is no router")?;
        let mut listener = listener;
        listener.insert_str(router, &yaml::indented(&filter, 10));
        let text = text.replace("  listeners:\n", "");
        let apart = Apart { kind: "envoy.config.listener.v3.Listener", setting: "lds_config", file: LISTENERS };
        Ok((Self { text: format!("{text}\n{}", apart.setting(folder)), ..self }, apart.file(&listener)))
    }

    /// Moves the cluster to a file of its own, whose text is the second value.
    pub(crate) fn with_cluster_apart(self, folder: &Path) -> Result<(Self, String)> {
        let (text, cluster) = yaml::take(&self.text, CLUSTER)?;
        // The route exists before its cluster.
        let text = text
            .replace("  clusters:\n", "")
            .replace(ROUTES, &format!("{ROUTES}            validate_clusters: false\n"));
        let apart = Apart { kind: "envoy.config.cluster.v3.Cluster", setting: "cds_config", file: CLUSTERS };
        Ok((Self { text: format!("{text}\n{}", apart.setting(folder)), ..self }, apart.file(&cluster)))
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// The file that holds the listener when it is apart.
pub(crate) const LISTENERS: &str = "listeners.yaml";

/// The file that holds the cluster when it is apart.
pub(crate) const CLUSTERS: &str = "clusters.yaml";

/// Resources that Envoy reads from a file, and again after each replacement of the file.
struct Apart {
    kind: &'static str,
    setting: &'static str,
    file: &'static str,
}

impl Apart {
    fn setting(&self, folder: &Path) -> String {
        let path = folder.join(self.file);
        format!(
            "dynamic_resources:\n  {}:\n    resource_api_version: V3\n    path_config_source: {{path: {}, watched_directory: {{path: {}}}}}\n",
            self.setting,
            path.display(),
            folder.display(),
        )
    }

    fn file(&self, item: &str) -> String {
        let item = yaml::indented(item, 0);
        let fields = item.strip_prefix("- ").unwrap_or(&item);
        format!("resources:\n- \"@type\": type.googleapis.com/{}\n  {fields}", self.kind)
    }
}

/// The example's name below `examples`.
fn file(leg: Leg) -> &'static str {
    leg.example().trim_start_matches("examples/")
}

fn secret(place: &Place, profile: &str) -> PathBuf {
    place.folder.join(format!("{}.yaml", profile.replace('/', "-")))
}

/// The file that names a profile's token file. It does not change.
fn write_secret(place: &Place, profile: &str) -> Result<PathBuf> {
    let text = Example::read("envoy/file-sds-secret.yaml")?
        .with("name: entra/vault", &format!("name: {profile}"))?
        .with("target/envoy/vault.token", &place.token_file(profile).display().to_string())?
        .with("path: target/envoy}", &format!("path: {}}}", place.folder.display()))?;
    let path = secret(place, profile);
    fs::write(&path, text.into_text())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(folder: &Path) -> Place {
        Place {
            folder: folder.to_owned(),
            upstream_port: 4321,
            module: "/m.so".into(),
            policy: "/policy.toml".into(),
            authority: "localhost:1".into(),
            ca: "/ca.pem".into(),
        }
    }

    fn config(leg: Leg, folder: &Path) -> Config {
        Config::new(leg, &place(folder)).unwrap()
    }

    #[test]
    fn nothing_of_the_examples_places_is_left() {
        for leg in Leg::ALL {
            let folder = tempfile::tempdir().unwrap();
            let text = config(leg, folder.path()).with_graph(&place(folder.path())).unwrap().text;
            for old in ["9901", "10000", "10001", "target/", "examples/", "/etc/"] {
                assert!(
                    !text.lines().any(|line| !line.trim().starts_with('#') && line.contains(old)),
                    "{leg:?}: {old}"
                );
            }
            assert!(text.contains("entra/graph") && text.contains("cluster: graph"), "{leg:?}");
        }
    }

    #[test]
    fn without_injection_no_filter_is_left() {
        for leg in Leg::ALL {
            let folder = tempfile::tempdir().unwrap();
            let text = config(leg, folder.path()).without_injection().unwrap().text;
            assert!(!text.contains("inject") || text.contains("An injector here"), "{leg:?}");
            assert!(!text.contains(leg.filter()) && text.contains("upstream_codec"), "{leg:?}");
        }
    }

    #[test]
    fn a_separate_file_is_not_part_of_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let (rest, listener) = config(Leg::DynamicModule, folder.path()).with_listener_apart(folder.path()).unwrap();
        assert!(!rest.text.contains("listeners:\n") && !rest.text.contains("dynamic_module_config"));
        assert!(listener.contains("\n  name: api\n") && listener.contains("dynamic_module_config"));
        let (rest, cluster) = config(Leg::DynamicModule, folder.path()).with_cluster_apart(folder.path()).unwrap();
        assert!(!rest.text.contains("  clusters:\n") && !rest.text.contains("dynamic_module_config"));
        assert!(cluster.contains("\n  name: vault\n") && cluster.contains("dynamic_module_config"));
    }
}
