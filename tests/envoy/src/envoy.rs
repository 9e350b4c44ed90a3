//! A running Envoy.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use shared_token_cache_interop::http::Response;
use shared_token_cache_interop::process::{Running, output, start};

use crate::client::get;
use crate::programs::Programs;
use crate::wait::{SOON, until};

/// Envoy is ready when it has its first token, or without an agent after the example's
/// `initial_fetch_timeout`.
const READY: Duration = Duration::from_secs(30);

const LIMIT: Duration = Duration::from_secs(30);

/// It is killed when this is dropped.
pub(crate) struct Envoy {
    process: Running,
    log: PathBuf,
    admin: SocketAddr,
}

impl Envoy {
    /// Starts Envoy with a configuration, as a user with this home folder, and waits until it is
    /// ready. Its files go to `folder`.
    pub(crate) fn start(programs: &Programs, config: &str, folder: &Path, home: &Path) -> Result<Self> {
        let (file, address, log) = (folder.join("envoy.yaml"), folder.join("admin-address"), folder.join("envoy.log"));
        fs::write(&file, config)?;
        if address.exists() {
            fs::remove_file(&address)?;
        }
        let mut command = Command::new(&programs.envoy);
        command.arg("-c").arg(&file).arg("--admin-address-path").arg(&address);
        // Several Envoys run beside each other.
        command.args(["--use-dynamic-base-id", "--concurrency", "1", "--log-level", "info"]);
        command.env("HOME", home).current_dir(folder);
        for variable in ["AZURE_AUTHORITY_HOST", "AZURE_CONFIG_DIR", "HTTPS_PROXY", "https_proxy"] {
            command.env_remove(variable);
        }
        let mut process = start(&mut command, &log)?;
        let admin = process.until(READY, || fs::read_to_string(&address).ok()?.trim().parse().ok());
        let admin = admin.with_context(|| format!("Envoy: {}", tail(&log)))?;
        let envoy = Self { process, log, admin };
        let ready = || Ok((envoy.admin("/ready")?.status == 200).then_some(()));
        until(READY, "Envoy is ready", ready).with_context(|| format!("Envoy: {}", tail(&envoy.log)))?;
        Ok(envoy)
    }

    /// The listener's address.
    pub(crate) fn listener(&self) -> Result<SocketAddr> {
        let listeners: Value = serde_json::from_str(&self.admin("/listeners?format=json")?.body)?;
        let address = listeners.pointer("/listener_statuses/0/local_address/socket_address").context("no listener")?;
        let host = address.get("address").and_then(Value::as_str).context("no address")?;
        let port = address.get("port_value").and_then(Value::as_u64).context("no port")?;
        Ok(SocketAddr::new(host.parse()?, u16::try_from(port)?))
    }

    /// A response of Envoy's admin interface.
    pub(crate) fn admin(&self, path: &str) -> Result<Response> {
        get(self.admin, path, &[])
    }

    /// The value of a counter or gauge.
    pub(crate) fn stat(&self, name: &str) -> Result<u64> {
        let stats = self.admin("/stats")?.body;
        stat(&stats, name).with_context(|| format!("there is no {name} in /stats"))
    }

    pub(crate) fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(self.process.0.try_wait()?.is_none())
    }

    /// Envoy's processor time so far, on Linux only.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.0.id())).ok()?;
        processor_time(&stat)
    }

    /// Sends SIGTERM and returns the exit status.
    pub(crate) fn terminate(&mut self) -> Result<ExitStatus> {
        terminate(&mut self.process)
    }
}

/// Validates a configuration file (`--mode validate`), with `from` as the working folder.
pub(crate) fn validate(programs: &Programs, config: &Path, from: &Path, home: &Path) -> Result<()> {
    let mut command = Command::new(&programs.envoy);
    command.args(["--mode", "validate", "--log-level", "warning", "-c"]).arg(config);
    let said = output(command.current_dir(from).env("HOME", home), LIMIT)?;
    ensure!(said.contains("OK"), "Envoy said {said:?}");
    Ok(())
}

/// Sends SIGTERM to a program and waits for its end.
pub(crate) fn terminate(process: &mut Running) -> Result<ExitStatus> {
    end_by("TERM", process)
}

/// Sends a signal to a program and waits for its end.
pub(crate) fn end_by(signal: &str, process: &mut Running) -> Result<ExitStatus> {
    output(Command::new("kill").args(["-s", signal, &process.0.id().to_string()]), LIMIT)?;
    until(SOON, &format!("the end after SIG{signal}"), || Ok(process.0.try_wait()?))
}

fn stat(stats: &str, name: &str) -> Option<u64> {
    stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")?.parse().ok())
}

/// User and system time are the 14th and 15th field, in hundredths of a second (proc(5)). The second field, a name in parentheses,
/// may have spaces in it.
fn processor_time(stat: &str) -> Option<Duration> {
    let fields = stat.rsplit_once(')')?.1.split_whitespace();
    let ticks: Vec<u64> = fields.skip(11).take(2).map_while(|field| field.parse().ok()).collect();
    (ticks.len() == 2).then(|| Duration::from_millis(ticks.iter().sum::<u64>() * 10))
}

/// The last lines of a log, for a message.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_is_found_by_its_whole_name() {
        let stats = "a.failed: 1\na.failed_total: 2\nb: \"text\"\n";
        assert_eq!(stat(stats, "a.failed"), Some(1));
        assert_eq!(stat(stats, "a.fail"), None);
        assert_eq!(stat(stats, "b"), None);
    }

    #[test]
    fn processor_time_is_that_of_user_and_system() {
        let stat = "42 (an (odd) name) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 7 7 20 0 9 0 1000";
        assert_eq!(processor_time(stat), Some(Duration::from_secs(2)));
        assert_eq!(processor_time("42 (cut) S 1"), None);
    }
}
