#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod certificate;
mod message;
mod server;
mod setup;
pub mod sign_in;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use certificate::Identity;
pub use message::{Received, Reply};
use server::Shared;
pub use setup::{Certificate, Setup, Tls};

/// A running endpoint. It stops, open connections included, when dropped.
#[derive(Debug)]
pub struct TokenEndpoint {
    address: SocketAddr,
    ca_pem: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl TokenEndpoint {
    /// Starts an endpoint on a free port. `respond` returns the reply to each request.
    ///
    /// # Errors
    /// When no certificate can be created or no port is free.
    pub async fn start(respond: impl FnMut(&Received) -> Reply + Send + 'static) -> io::Result<Self> {
        Self::start_as(Setup::default(), respond).await
    }

    /// [`Self::start`] with this kind of certificate and TLS.
    ///
    /// # Errors
    /// When no certificate can be created or no port is free.
    pub async fn start_as(setup: Setup, respond: impl FnMut(&Received) -> Reply + Send + 'static) -> io::Result<Self> {
        let identity = Identity::new(&setup)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(Box::new(respond)));
        let tls = (setup.tls != Tls::Off).then_some(identity.server);
        let task = tokio::spawn(server::serve(listener, tls, Arc::clone(&shared)));
        Ok(Self { address, ca_pem: identity.ca_pem, shared, task })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the CA that a client must trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The requests so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.requests()
    }

    /// The number of connections accepted so far, with TLS completed.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }
}

impl Drop for TokenEndpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}
