//! The services of a distributed engine: NATS, which carries workloads to hosts, and a registry,
//! from which hosts pull components.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::json;
use shared_token_cache_interop::http::free_address;
use shared_token_cache_interop::process::output;

use super::{LIMIT, Logged, Wash};
use crate::debian;

/// The Debian release of the packages.
const SUITE: &str = "bookworm";

pub(super) struct Ground {
    pub(super) nats: SocketAddr,
    pub(super) registry: SocketAddr,
    /// The time limit for the start of both.
    pub(super) versions: String,
    _running: [Logged; 2],
}

impl Ground {
    /// Starts both, with all their files in `folder`.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let files = debian::unpacked("wasmcloud-ground", SUITE, &["nats-server", "docker-registry"])?;
        let (nats_server, docker_registry) =
            (files.join("usr/sbin/nats-server"), files.join("usr/bin/docker-registry"));
        let (nats, registry) = (free_address()?, free_address()?);

        let version = |program: &Path| -> Result<String> {
            let shown = output(Command::new(program).arg("--version"), LIMIT)?;
            Ok(shown.split_whitespace().last().context("no version")?.trim_start_matches('v').to_owned())
        };
        let versions =
            format!("nats-server {}, docker-registry {}", version(&nats_server)?, version(&docker_registry)?);

        let mut command = Command::new(nats_server);
        command.args(["--addr", &nats.ip().to_string(), "--port", &nats.port().to_string()]);
        let nats_server = ready(command, folder, "nats-server.log", nats)?;

        let settings = folder.join("registry.json");
        let storage = json!({ "filesystem": { "rootdirectory": folder.join("registry") } });
        // JSON is YAML as well.
        let text = json!({ "version": "0.1", "storage": storage, "http": { "addr": registry.to_string() } });
        fs::write(&settings, text.to_string())?;
        let mut command = Command::new(docker_registry);
        command.arg("serve").arg(settings);
        let docker_registry = ready(command, folder, "docker-registry.log", registry)?;

        Ok(Self { nats, registry, versions, _running: [nats_server, docker_registry] })
    }

    /// Publishes a component.
    pub(super) fn push(&self, wash: &Wash, home: &Path, component: &Path, name: &str) -> Result<()> {
        let reference = format!("{}/{name}", self.registry);
        output(wash.command(home).args(["oci", "push", "--insecure", &reference]).arg(component), LIMIT)?;
        Ok(())
    }
}

/// A program that listens.
fn ready(mut command: Command, folder: &Path, log: &str, address: SocketAddr) -> Result<Logged> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut program = Logged::start(&mut command, folder.join(log))?;
    program.until(|| TcpStream::connect(address).ok().map(drop)).context(name)?;
    Ok(program)
}
