//! The servers of one scene: a token endpoint, and an API that tokens are for.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use tempfile::TempDir;
use token_endpoint::sign_in::{token_reply, username};
use token_endpoint::{Received, Reply, Setup, Tls, TokenEndpoint};
use tokio::runtime::Runtime;

/// How this machine answers a host's token requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// The host accepts a CA of the test's own.
    Https,
    /// The host accepts no CA, so the adapter sends requests to this one address over plain HTTP.
    Http,
}

/// A server: an endpoint that redeems refresh tokens of user 0, an API, or one with a test's own
/// responses.
#[derive(Debug)]
pub struct Authority {
    endpoint: TokenEndpoint,
    ca: Option<(TempDir, PathBuf)>,
    _runtime: Runtime,
}

impl Authority {
    /// An endpoint that redeems refresh tokens of user 0.
    pub fn start(scheme: Scheme) -> Result<Self> {
        Self::answering(scheme, |_| Reply::json(200, token_reply(0)))
    }

    /// An API with a CA of its own, which accepts tokens of user 0.
    pub fn api() -> Result<Self> {
        Self::answering(Scheme::Https, |_| Reply::json(200, json!({ "userPrincipalName": username(0) })))
    }

    /// A server with a test's own responses.
    pub fn answering(scheme: Scheme, respond: impl FnMut(&Received) -> Reply + Send + 'static) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let tls = if scheme == Scheme::Http { Tls::Off } else { Tls::Any };
        let endpoint = runtime.block_on(TokenEndpoint::start_as(Setup { tls, ..Setup::default() }, respond))?;
        let ca = match scheme {
            Scheme::Http => None,
            Scheme::Https => {
                let folder = tempfile::tempdir()?;
                let path = folder.path().join("ca.pem");
                fs::write(&path, endpoint.ca_pem())?;
                Some((folder, path))
            }
        };
        Ok(Self { endpoint, ca, _runtime: runtime })
    }

    /// The server's host and port.
    pub fn name(&self) -> String {
        format!("localhost:{}", self.endpoint.address().port())
    }

    /// The file of the CA to trust, where there is TLS.
    pub fn ca(&self) -> Option<PathBuf> {
        self.ca.as_ref().map(|(_, path)| path.clone())
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Received> {
        self.endpoint.requests()
    }
}
