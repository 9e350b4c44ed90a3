//! The stage of one scenario: a home folder with a sign-in, an authority, an upstream, the agent
//! and Envoy.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use shared_token_cache_interop::authority::{Authority, Scheme};
use shared_token_cache_interop::example::Example;
use shared_token_cache_interop::http::Response;
use shared_token_cache_interop::sign_in::Home;
use tempfile::TempDir;
use token_endpoint::sign_in::{GRAPH, LOCAL, MARK, SignIn, VAULT, document};

use crate::agent::Agent;
use crate::client::get;
use crate::config::{Config, GRAPH_PROFILE, Place, VAULT_PROFILE};
use crate::envoy::Envoy;
use crate::issued::Issued;
use crate::leg::Leg;
use crate::programs::{self, Programs};
use crate::upstream::Upstream;
use crate::wait::{SOON, until};

pub(crate) struct Stage<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) leg: Leg,
    pub(crate) place: Place,
    pub(crate) upstream: Upstream,
    pub(crate) authority: Authority,
    pub(crate) issued: Issued,
    envoy: Option<Envoy>,
    listener: Option<SocketAddr>,
    agent: Option<Agent>,
    pub(crate) home: Home,
    // Dropped last, as dropping it removes the folder.
    _folder: TempDir,
}

impl<'a> Stage<'a> {
    /// With user 0 signed in, a token for the vault cached, and nothing started yet.
    pub(crate) fn new(programs: &'a Programs, leg: Leg) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("envoy-suite-").tempdir()?;
        let issued = Issued::default();
        let authority = Authority::answering(Scheme::Https, issued.responder())?;
        let upstream = Upstream::start()?;
        let place = Place {
            folder: folder.path().to_owned(),
            upstream_port: upstream.port(),
            module: if leg.has_agent() { Default::default() } else { programs::module()? },
            policy: folder.path().join("policy.toml"),
            authority: authority.name(),
            ca: authority.ca().context("the authority has no CA")?,
        };
        fs::write(&place.policy, policy(&place)?)?;
        let home = Home::with(None)?;
        let (envoy, listener, agent) = (None, None, None);
        let stage =
            Self { programs, leg, place, upstream, authority, issued, envoy, listener, agent, home, _folder: folder };
        stage.cache(&stage.issued.next())?;
        Ok(stage)
    }

    /// Starts everything that the example needs, and waits until requests pass.
    pub(crate) fn start(&mut self) -> Result<()> {
        self.start_agent()?;
        self.start_envoy(&Config::new(self.leg, &self.place)?)?;
        self.passes()
    }

    /// Starts the agent, for legs that have one.
    pub(crate) fn start_agent(&mut self) -> Result<()> {
        self.start_agent_with(&[VAULT_PROFILE], &[])
    }

    /// The same for these profiles, with further arguments.
    pub(crate) fn start_agent_with(&mut self, profiles: &[&str], more: &[&str]) -> Result<()> {
        if self.leg.has_agent() {
            self.agent = Some(Agent::start(self.leg, &self.place, profiles, self.home.path(), more)?);
        }
        Ok(())
    }

    pub(crate) fn start_envoy(&mut self, config: &Config) -> Result<()> {
        let envoy = Envoy::start(self.programs, config.text(), &self.place.folder, self.home.path())?;
        self.listener = Some(envoy.listener()?);
        self.envoy = Some(envoy);
        Ok(())
    }

    pub(crate) fn envoy(&mut self) -> Result<&mut Envoy> {
        self.envoy.as_mut().context("Envoy was not started")
    }

    /// Marks the agent as ended on purpose, so no check reports it.
    pub(crate) fn forget_envoy(&mut self) {
        self.envoy = None;
    }

    pub(crate) fn listener(&self) -> Result<SocketAddr> {
        self.listener.context("Envoy was not started")
    }

    pub(crate) fn agent(&self) -> Result<&Agent> {
        self.agent.as_ref().context("the agent was not started")
    }

    pub(crate) fn kill_agent(&mut self) -> Result<()> {
        self.agent.take().context("the agent was not started")?.kill();
        Ok(())
    }

    pub(crate) fn end_agent_by(&mut self, signal: &str) -> Result<ExitStatus> {
        self.agent.take().context("the agent was not started")?.end_by(signal)
    }

    /// Another program signs user 0 in again or refreshes: the cache then holds this token for the
    /// vault.
    pub(crate) fn cache(&self, token: &str) -> Result<()> {
        self.home.replace(&document(&[with_token(0, VAULT, token)]))
    }

    /// Another program caches this token of user 1 for Graph.
    pub(crate) fn cache_two(&self, vault: &str, graph: &str) -> Result<()> {
        self.home.replace(&document(&[with_token(0, VAULT, vault), with_token(1, GRAPH, graph)]))
    }

    /// Another program signs the user out.
    pub(crate) fn sign_out(&self) -> Result<()> {
        self.home.replace(r#"{"AccessToken": {}, "RefreshToken": {}, "IdToken": {}, "Account": {}, "AppMetadata": {}}"#)
    }

    /// A request through Envoy.
    pub(crate) fn get(&self) -> Result<Response> {
        self.get_with("/", &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Result<Response> {
        get(self.listener()?, path, headers)
    }

    /// Waits until requests pass with any token.
    pub(crate) fn passes(&self) -> Result<()> {
        until(SOON, "a request passes", || Ok((self.get()?.status == 200).then_some(())))
    }

    /// Waits until requests pass with this token.
    pub(crate) fn sends(&self, token: &str) -> Result<()> {
        let wanted = format!("Bearer {token}");
        until(SOON, &format!("the token {token} is sent"), || {
            let answer = self.get()?;
            Ok((answer.status == 200 && answer.body == wanted).then_some(()))
        })
    }

    /// Waits until requests are refused, and checks that they stay refused. Returns when the last
    /// one passed, if any did.
    pub(crate) fn refuses(&self) -> Result<Option<Instant>> {
        let mut last = None;
        until(SOON, "requests are refused", || match self.get()?.status {
            200 => {
                last = Some(Instant::now());
                Ok(None)
            }
            401 => Ok(Some(())),
            other => bail!("a request ended with {other}"),
        })?;
        for _ in 0..20 {
            let status = self.get()?.status;
            ensure!(status == 401, "after a refusal, a request ended with {status}");
        }
        Ok(last)
    }

    /// The invariants of every scenario: each request at the upstream carries one token, which was
    /// issued; and no token is in a file that is not for tokens.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(envoy) = self.envoy.as_mut() {
            ensure!(envoy.is_running()?, "Envoy has ended");
        }
        for seen in self.upstream.requests() {
            let [value] = seen.authorization.as_slice() else {
                bail!("{} reached the upstream with {} tokens", seen.path, seen.authorization.len());
            };
            self.issued.check(value.strip_prefix("Bearer ").unwrap_or_default(), seen.at)?;
        }
        for entry in fs::read_dir(&self.place.folder)? {
            let path = entry?.path();
            if path.is_file() && path.extension().is_none_or(|extension| extension != "token") {
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                ensure!(!text.contains(MARK), "{} holds a token", path.display());
            }
        }
        Ok(())
    }

    /// The last log lines of Envoy and the agents, for diagnosis.
    pub(crate) fn logs(&self) -> String {
        let mut text = String::new();
        for name in ["envoy.log", "agent-1.log", "agent-2.log"] {
            let log = fs::read_to_string(self.place.folder.join(name)).unwrap_or_default();
            // Most of Envoy's log lines are of no interest here.
            let lines: Vec<_> = log.lines().filter(|line| !line.contains("[info]")).rev().take(8).collect();
            for line in lines.iter().rev() {
                text.push_str(&format!("\n          {name}: {line}"));
            }
        }
        text
    }
}

fn with_token(number: u32, scope: &str, token: &str) -> SignIn {
    SignIn::new(number, LOCAL).access_token_with(scope, json!({ "secret": token }))
}

/// The example's policy for this stage's authority, with a second profile.
fn policy(place: &Place) -> Result<String> {
    let Place { authority, .. } = place;
    let policy = Example::read("envoy/policy.toml")?
        .with(r#"["login.microsoftonline.com"]"#, &format!(r#"["{authority}"]"#))?
        .with("accounts = [\"user0@contoso.com\"]", "accounts = [\"user0@contoso.com\", \"user1@contoso.com\"]")?
        .with(
            "scopes = [\"https://vault.azure.net/.default\"]\ntenants",
            "scopes = [\"https://vault.azure.net/.default\", \"https://graph.microsoft.com/.default\"]\ntenants",
        )?;
    let more = format!(
        r#"
[[profiles]]
name = "{GRAPH_PROFILE}"
source = "shared"
account = "user1@contoso.com"
scopes = ["{GRAPH}"]

[network]
addresses = ["loopback"]
"#
    );
    Ok(policy.into_text() + &more)
}

/// Makes a file or a folder readable for every user. A socket has a mode of its own.
pub(crate) fn open(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    let _ = path;
    Ok(())
}
