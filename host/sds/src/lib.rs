//! Access tokens for Envoy and whoever else speaks its Secret Discovery Service (SDS): state of the world over gRPC, on a Unix socket.
//!
//! A [`Board`] holds a token under each name. Whoever subscribes to a name is sent what is there now and each change of it. A token
//! that is taken back is sent as an empty secret, because a proxy that hears nothing goes on with what it has.

mod board;
#[cfg(unix)]
mod health;
#[cfg(unix)]
mod peer;
#[cfg(unix)]
mod proto;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod service;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod stats;
#[cfg(unix)]
mod stream;
#[cfg(unix)]
mod subscription;

pub use board::{Board, Posted, Secret};
#[cfg(unix)]
pub use server::{ServeError, Server};
#[cfg(unix)]
pub use service::SERVICE;
#[cfg(unix)]
pub use socket::{BindError, SocketOptions};
#[cfg(unix)]
pub use stats::Stats;
