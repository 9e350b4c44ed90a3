//! Command line arguments.

use std::fs;
use std::net::{SocketAddr, TcpListener};

use pingora::server::configuration::ServerConf;
use shared_token_cache::policy::Policy;

use crate::token::Token;
use crate::upstream::Upstream;

const USAGE: &str = "usage: pingora-example POLICY PROFILE UPSTREAM [LISTEN]
  POLICY    a file with a policy
  PROFILE   the name of a profile in it
  UPSTREAM  where requests go, such as https://graph.microsoft.com
  LISTEN    where clients come, by default 127.0.0.1:8080";

pub(crate) struct Settings {
    pub(crate) token: Token,
    pub(crate) upstream: Upstream,
    pub(crate) listen: SocketAddr,
}

impl Settings {
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let arguments: Vec<_> = arguments.collect();
        let (file, name, upstream, listen) = match arguments.as_slice() {
            [file, name, upstream] => (file, name, upstream, "127.0.0.1:8080"),
            [file, name, upstream, listen] => (file, name, upstream, listen.as_str()),
            _ => return Err(USAGE.to_owned()),
        };
        let upstream = upstream.parse()?;
        let listen = listen.parse().map_err(|_| format!("{listen:?} is not an address with a port"))?;
        let policy = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let policy = Policy::from_toml(&policy).map_err(|error| format!("{file}: {error}"))?;
        let profile = policy.profile(name).ok_or_else(|| {
            let names: Vec<_> = policy.profiles().iter().map(|profile| profile.name().as_str()).collect();
            format!("{file}: no profile is named {name:?}, only [{}]", names.join(", "))
        })?;
        // Fails at once if the port is taken: pingora would retry for half a minute.
        TcpListener::bind(listen).map_err(|error| format!("{listen}: {error}"))?;
        let token = Token::new(&policy, profile).map_err(|error| error.to_string())?;
        Ok(Self { token, upstream, listen })
    }
}

/// Pingora's settings: a thread per processor, and 5 s for running requests after SIGTERM.
pub(crate) fn server() -> ServerConf {
    ServerConf {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        grace_period_seconds: Some(5),
        graceful_shutdown_timeout_seconds: Some(1),
        ..ServerConf::default()
    }
}
