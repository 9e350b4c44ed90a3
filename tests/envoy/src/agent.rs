//! A running agent: `shared-token-cache serve`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, Result};
use shared_token_cache_interop::http::{Response, free_address};
use shared_token_cache_interop::process::{Running, start};

use crate::client::get;
use crate::config::Place;
use crate::envoy::end_by;
use crate::leg::Leg;
use crate::programs;

/// Includes reading and compiling the component.
const READY: Duration = Duration::from_secs(30);

/// It is killed when this is dropped.
pub(crate) struct Agent {
    process: Running,
    metrics: SocketAddr,
}

impl Agent {
    /// Starts an agent for these profiles, with the sign-in of this home folder, and waits until it
    /// serves.
    pub(crate) fn start(leg: Leg, place: &Place, profiles: &[&str], home: &Path, more: &[&str]) -> Result<Self> {
        let metrics = free_address()?;
        let log = log(place)?;
        let mut command = Command::new(programs::agent()?);
        command.arg("serve").arg("--policy").arg(&place.policy);
        command.args(["--authority", &place.authority]).arg("--ca-file").arg(&place.ca);
        command.args(["--metrics", &metrics.to_string()]).arg("--audit").arg(place.folder.join("audit"));
        match leg {
            Leg::Sds => {
                command.arg("--sds").arg(format!("unix:{}", place.socket().display()));
            }
            Leg::FileSds | Leg::DynamicModule => {
                for profile in profiles {
                    let path = place.token_file(profile);
                    command.arg("--token-file").arg(format!("{profile}={}", path.display()));
                }
            }
        }
        command.args(more).env("HOME", home).env("SHARED_TOKEN_CACHE_LOG", "trace");
        // Variables that a service manager sets; its services reopen their audit file at SIGHUP.
        let proxies = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        let variables = ["AZURE_AUTHORITY_HOST", "AZURE_CONFIG_DIR", "INVOCATION_ID", "NOTIFY_SOCKET"];
        for variable in proxies.iter().chain(&variables) {
            command.env_remove(variable);
        }
        let mut process = start(&mut command, &log)?;
        process
            .until(READY, || get(metrics, "/metrics", &[]).ok())
            .with_context(|| format!("the agent: {}", fs::read_to_string(&log).unwrap_or_default().trim()))?;
        Ok(Self { process, metrics })
    }

    /// The agent's metrics page, in Prometheus's format.
    pub(crate) fn metrics(&self) -> Result<Response> {
        get(self.metrics, "/metrics", &[])
    }

    /// Sends a signal and returns the exit status.
    pub(crate) fn end_by(mut self, signal: &str) -> Result<ExitStatus> {
        end_by(signal, &mut self.process)
    }

    /// Ends the agent with SIGKILL.
    pub(crate) fn kill(self) {
        drop(self.process);
    }
}

/// A log file for one agent: each agent has its own, and all are kept.
fn log(place: &Place) -> Result<PathBuf> {
    let names = (1..).map(|number| place.folder.join(format!("agent-{number}.log")));
    names.into_iter().find(|path| !path.exists()).context("no name is left for a log")
}
