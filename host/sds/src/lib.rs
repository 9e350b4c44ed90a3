#![doc = include_str!("../README.md")]

mod board;
#[cfg(unix)]
mod connection;
#[cfg(unix)]
mod crowd;
#[cfg(unix)]
mod health;
#[cfg(unix)]
mod log_once;
#[cfg(unix)]
mod peer;
#[cfg(unix)]
mod proto;
#[cfg(unix)]
mod requests;
#[cfg(unix)]
mod resets;
#[cfg(unix)]
mod seat;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod service;
#[cfg(unix)]
mod socket;
mod stats;
#[cfg(unix)]
mod stream;
#[cfg(unix)]
mod subscription;
#[cfg(not(unix))]
mod unsupported;

pub use board::{Board, Posted, Secret};
#[cfg(unix)]
pub use server::{ServeError, Server};
#[cfg(unix)]
pub use service::SERVICE;
#[cfg(unix)]
pub use socket::{BindError, Socket, SocketOptions};
pub use stats::Stats;
#[cfg(not(unix))]
pub use unsupported::{BindError, ServeError, Server, SocketOptions};
