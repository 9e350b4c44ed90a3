//! The server for platforms without Unix sockets. `bind` always fails, so `Server` has no values.

use std::path::PathBuf;
use std::sync::Arc;

use crate::board::Board;
use crate::stats::Stats;

/// Where to listen, and which users may connect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// The socket.
    pub path: PathBuf,
    /// Users besides this process's own who may connect.
    pub allow_uids: Vec<u32>,
}

/// Why the socket cannot be bound.
#[derive(Debug, thiserror::Error)]
#[error("there are no Unix sockets on this platform")]
#[non_exhaustive]
pub struct BindError;

/// Why a server ended without being stopped.
#[derive(Debug, thiserror::Error)]
#[error("the server failed")]
pub struct ServeError(());

/// A server that listens.
#[derive(Debug)]
pub enum Server {}

impl Server {
    /// This platform has no Unix sockets.
    ///
    /// # Errors
    /// Always.
    pub fn bind(_: &SocketOptions) -> Result<Self, BindError> {
        Err(BindError)
    }

    /// Its counters.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        match *self {}
    }

    /// Serves until `stop`.
    ///
    /// # Errors
    /// When the server fails as a whole.
    pub async fn serve(self, _: &Board, _: impl Future<Output = ()>) -> Result<(), ServeError> {
        match self {}
    }
}
