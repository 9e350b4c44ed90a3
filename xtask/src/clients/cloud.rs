//! Services of Azure on loopback, which clients use by an HTTPS proxy: `tests/clients/cloud.py`.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::world::{ACR, AKS, ARM, DEVOPS, Running, STORAGE, World};
use crate::run::{output, root};

/// The running services.
pub(super) struct Cloud {
    log: PathBuf,
    process: Running,
    ports: [String; 2],
    ca: PathBuf,
}

impl Cloud {
    /// Starts the services; each takes the user's token for it. `python` is one with `cryptography`.
    pub(super) fn start(world: &World, python: &Path) -> Result<Self> {
        let repository = world.path("repository.git");
        output(Command::new("git").args(["init", "--quiet", "--bare"]).arg(&repository)).context("there is no git")?;
        let commit = [
            "-c",
            "user.name=user0",
            "-c",
            "user.email=user0@contoso.com",
            "commit-tree",
            "-m",
            "one",
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        ];
        let in_repository = || {
            let mut git = Command::new("git");
            git.arg("--git-dir").arg(&repository);
            git
        };
        output(in_repository().args(["hash-object", "-w", "-t", "tree", "/dev/null"]))?;
        let commit = output(in_repository().args(commit))?;
        output(in_repository().args(["update-ref", "refs/heads/demo", commit.trim()]))?;

        let (log, ca) = (world.path("cloud.log"), world.path("cloud.pem"));
        let mut command = world.command(python);
        command.arg(root().join("tests/clients/cloud.py")).arg(&ca).arg(&repository);
        let process = command.stdin(Stdio::piped()).stdout(File::create(&log)?).spawn()?;
        let mut cloud = Self { log, process: Running(process), ports: [const { String::new() }; 2], ca };
        let tokens = json!({
            "management.azure.com": world.access_token(ARM),
            "contoso.azurecr.io": world.access_token(ACR),
            "contoso.blob.core.windows.net": world.access_token(STORAGE),
            "dev.azure.com": world.access_token(DEVOPS),
            "localhost": world.access_token(AKS),
        });
        if let Some(mut stdin) = cloud.process.0.stdin.take() {
            stdin.write_all(tokens.to_string().as_bytes())?;
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let log = cloud.log()?;
            if let Some((line, _)) = log.split_once('\n') {
                let mut words = line.split(' ').skip(1).map(str::to_owned);
                cloud.ports = [words.next().context("no port")?, words.next().context("no port")?];
                return Ok(cloud);
            }
            if cloud.process.0.try_wait()?.is_some() || Instant::now() > deadline {
                bail!("the services do not listen: {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The variables of a client that uses the services.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let [proxy, _] = &self.ports;
        let (proxy, ca) = (format!("http://127.0.0.1:{proxy}"), self.ca.display().to_string());
        vec![
            ("HTTPS_PROXY", proxy.clone()),
            ("HTTP_PROXY", proxy),
            ("REQUESTS_CA_BUNDLE", ca.clone()),
            ("GIT_SSL_CAINFO", ca.clone()),
            ("SSL_CERT_FILE", ca),
        ]
    }

    /// The URL of the cluster's API server.
    pub(super) fn cluster(&self) -> String {
        let [_, cluster] = &self.ports;
        format!("https://localhost:{cluster}")
    }

    /// The certificate of all services.
    pub(super) fn certificate(&self) -> String {
        self.ca.display().to_string()
    }

    /// The requests so far.
    pub(super) fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }
}
