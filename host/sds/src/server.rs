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
use crate::peer::Peers;
use crate::resets::Resets;
use crate::said::Said;
use crate::seat::Seat;
use crate::service::SecretDiscovery;
use crate::socket::{BindError, SocketOptions};
use crate::stats::Stats;
use crate::stream::Shared;

/// How long to wait when no connection can be accepted, for example for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// How often the socket's name is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long connections may take to end after their streams have.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often a client is asked whether it is still there, and how long it has to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(10);

/// Streams of a connection. A proxy has one for each profile.
const MOST_STREAMS: u32 = 100;

/// The headers of a request.
const LARGEST_HEADERS: u32 = 16_384;

/// Why a server ended that was not told to.
#[derive(Debug, thiserror::Error)]
#[error("the server failed")]
pub struct ServeError(#[from] tonic::transport::Error);

/// A server that listens, and serves from [`Self::serve`] on.
#[derive(Debug)]
pub struct Server {
    seat: Seat,
    listener: UnixListener,
    allow_uids: Vec<u32>,
    stats: Arc<Stats>,
}

impl Server {
    /// Begins to listen. Whoever connects already waits.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(options: &SocketOptions) -> Result<Self, BindError> {
        let (seat, listener) = Seat::bind(options)?;
        Ok(Self { seat, listener, allow_uids: options.allow_uids.clone(), stats: Arc::default() })
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Serves until `stop`. Then nobody can connect any more; who is connected is sent what is on the board at that moment, and has a
    /// second to accept it.
    ///
    /// # Errors
    /// When the server fails as a whole; single connections may fail as they like.
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
            // Before the readers are told: who finds no socket tries again later.
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

/// The connections of those who may connect, as far as there is room for them. Each second the socket's name is looked at: where
/// another program has removed it, it is bound again.
fn connections(seat: Seat, listener: UnixListener, peers: Peers) -> impl Stream<Item = io::Result<Connection>> {
    let (sender, rebound) = mpsc::channel(1);
    tokio::spawn(keep_bound(seat, sender));
    let door =
        Door { listener, rebound, peers, crowd: Crowd::default(), crowded: Said::default(), resets: Resets::default() };
    stream::unfold(door, |mut door| async {
        loop {
            door.crowd.settle().await;
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
                    tracing::warn!("a connection can't be accepted: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    })
}

/// Looks at the socket's name for as long as there is a door. A file system that hangs delays no connection.
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

/// Where connections come in.
struct Door {
    listener: UnixListener,
    rebound: mpsc::Receiver<UnixListener>,
    peers: Peers,
    crowd: Crowd,
    crowded: Said<(u32, bool)>,
    resets: Resets,
}

impl Door {
    fn admit(&self, stream: UnixStream) -> Option<Connection> {
        let user = self.peers.allow(&stream)?;
        let place = match self.crowd.enter(user) {
            Entry::Free(place) => Some(place),
            Entry::InPlaceOf(crowded, place) => {
                if self.crowded.is_news((crowded, true)) {
                    tracing::warn!(
                        "user {crowded} has too many connections; each further one ends the oldest idle one"
                    );
                }
                Some(place)
            }
            Entry::Full => {
                if self.crowded.is_news((user, false)) {
                    tracing::warn!("user {user} has too many connections in use; further ones are closed");
                }
                None
            }
        };
        Some(Connection::new(stream, place?, self.resets.of_another()))
    }
}
