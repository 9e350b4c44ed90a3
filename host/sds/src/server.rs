//! The server.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{Stream, stream};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tonic::transport::Server as Http2;

use crate::board::Board;
use crate::connection::Connection;
use crate::crowd::{Crowd, Entry};
use crate::health;
use crate::log_once::LogOnce;
use crate::peer::Peers;
use crate::resets::Resets;
use crate::seat::Seat;
use crate::service::SecretDiscovery;
use crate::socket::{BindError, SocketOptions};
use crate::stats::Stats;
use crate::stream::Shared;

/// The pause after an accept fails, for example without file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// The interval of checks of the socket's name.
const LOOK: Duration = Duration::from_secs(1);

/// The time for connections to end after their streams.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The interval of HTTP/2 keep-alive pings, and the timeout of their answers.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(10);

/// The limit on streams of a connection. A proxy has one for each profile.
const MOST_STREAMS: u32 = 100;

/// The limit on a request's headers.
const LARGEST_HEADERS: u32 = 16_384;

/// Why a server ended without being stopped.
#[derive(Debug, thiserror::Error)]
#[error("the server failed")]
pub struct ServeError(#[from] tonic::transport::Error);

/// A server that listens, and serves once [`Self::serve`] runs.
#[derive(Debug)]
pub struct Server {
    seat: Seat,
    listener: UnixListener,
    allow_uids: Vec<u32>,
    stats: Arc<Stats>,
}

impl Server {
    /// Begins to listen. Clients can connect at once and wait.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(options: &SocketOptions) -> Result<Self, BindError> {
        let (seat, listener) = Seat::bind(options)?;
        Ok(Self { seat, listener, allow_uids: options.allow_uids.clone(), stats: Arc::default() })
    }

    /// Its counters.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Serves until `stop`. Then new connections are refused; connected clients get the state of
    /// the board at that moment, and have a second to accept it.
    ///
    /// # Errors
    /// When the server fails as a whole, not when a single connection fails.
    pub async fn serve(self, board: &Board, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { seat, listener, allow_uids, stats } = self;
        let (closing, is_closing) = watch::channel(false);
        let shared = Shared {
            board: board.subscribe(),
            stats: Arc::clone(&stats),
            closing: is_closing.clone(),
            strangers: Arc::default(),
            run: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        };
        let (reporter, health_service) = tonic_health::server::health_reporter();
        let reports = tokio::spawn(health::report(reporter, board.subscribe()));
        let peers = Peers::new(&allow_uids, stats);
        let serving = Http2::builder()
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE_ANSWER))
            .max_concurrent_streams(MOST_STREAMS)
            .http2_max_header_list_size(LARGEST_HEADERS)
            .add_service(SecretDiscovery(shared))
            .add_service(health_service)
            .serve_with_incoming_shutdown(connections(seat.clone(), listener, peers), closed(is_closing));
        let ending = async {
            stop.await;
            // Before the readers are notified: a reader that finds no socket retries later.
            seat.leave();
            closing.send_replace(true);
            tokio::time::sleep(LAST_WORDS).await;
        };
        let served = tokio::select! {
            served = serving => served,
            () = ending => Ok(()),
        };
        reports.abort();
        Ok(served?)
    }
}

async fn closed(mut closing: watch::Receiver<bool>) {
    // The sender outlives the server.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Accepts connections of allowed users, within the limits. The socket's name is checked every
/// second and bound again if another program has removed it.
fn connections(seat: Seat, listener: UnixListener, peers: Peers) -> impl Stream<Item = io::Result<Connection>> {
    let (sender, rebound) = mpsc::channel(1);
    tokio::spawn(keep_bound(seat, sender));
    let door = Door {
        listener,
        rebound,
        peers,
        crowd: Crowd::default(),
        crowded: LogOnce::default(),
        resets: Resets::default(),
    };
    stream::unfold(door, |mut door| async {
        loop {
            door.crowd.wait_for_closing().await;
            let accepted = tokio::select! {
                accepted = door.listener.accept() => accepted,
                Some(listener) = door.rebound.recv() => {
                    door.listener = listener;
                    continue;
                }
            };
            match accepted {
                Ok((stream, _)) => {
                    if let Some(connection) = door.admit(stream) {
                        return Some((Ok(connection), door));
                    }
                }
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    })
}

/// Checks the socket's name until the listener ends. Runs apart from `accept`, so that a hanging
/// file system delays no connection.
async fn keep_bound(seat: Seat, rebound: mpsc::Sender<UnixListener>) {
    loop {
        tokio::select! {
            () = rebound.closed() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if let Some(listener) = seat.look().await
            && rebound.send(listener).await.is_err()
        {
            return;
        }
    }
}

/// Accepts connections.
struct Door {
    listener: UnixListener,
    rebound: mpsc::Receiver<UnixListener>,
    peers: Peers,
    crowd: Crowd,
    crowded: LogOnce<(u32, bool)>,
    resets: Resets,
}

impl Door {
    fn admit(&self, stream: UnixStream) -> Option<Connection> {
        let user = self.peers.allow(&stream)?;
        let place = match self.crowd.enter(user) {
            Entry::Free(place) => Some(place),
            Entry::InPlaceOf(crowded, place) => {
                if self.crowded.is_first((crowded, true)) {
                    tracing::warn!(
                        "user {crowded} has too many connections; each further one ends the oldest idle one"
                    );
                }
                Some(place)
            }
            Entry::Full => {
                if self.crowded.is_first((user, false)) {
                    tracing::warn!("user {user} has too many connections in use; further ones are closed");
                }
                None
            }
        };
        Some(Connection::new(stream, place?, self.resets.of_another()))
    }
}
