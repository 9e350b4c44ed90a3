//! Connections: one request each, with limits on size and time.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::task::JoinSet;

use super::super::crowd::{Crowd, Entry};
use super::super::descriptors;
use super::Site;
use super::listen::{Listener, Stream};
use super::tls::Tls;

/// The time limit of the TLS handshake, and of the head of the request.
const HEAD: Duration = Duration::from_secs(5);

/// The time limit of a connection. A request waits up to 30 s for its token.
const PATIENCE: Duration = Duration::from_secs(45);

/// The largest head of a request, in bytes. A key has 64 bytes, a resource some 100.
const LARGEST_HEAD: usize = 16 << 10;

/// The largest number of header fields; clients send 10.
const MOST_FIELDS: usize = 64;

/// The pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// The largest number of connections on a listener. A new one replaces the oldest whose request is
/// incomplete.
const MOST: usize = 64;

/// Serves the connections of a listener until the future is dropped.
pub(super) async fn serve(listener: Listener, tls: Option<Tls>, site: &Arc<Site>) {
    let mut crowd = Crowd::new(descriptors::share(8, MOST));
    let mut connections = JoinSet::new();
    let mut is_told = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(Some((stream, peer))) => {
                    let is_complete = Arc::new(AtomicBool::new(false));
                    let entry = crowd.make_room(peer);
                    if entry != Entry::Free && !is_told {
                        is_told = true;
                        tracing::warn!(
                            "the HTTP endpoint has too many connections; each further one ends the oldest without a request"
                        );
                    }
                    if entry != Entry::Full {
                        let connection = connection(stream, tls.clone(), Arc::clone(site), Arc::clone(&is_complete));
                        let task = connections.spawn(connection);
                        crowd.add(peer, task, is_complete);
                    }
                    // Waits for aborted connections to close, because each uses one of the
                    // process's file descriptors.
                    while connections.len() > crowd.most && connections.join_next().await.is_some() {}
                    // A connection whose request has arrived is served before it could be the
                    // oldest.
                    tokio::task::yield_now().await;
                }
                // The user may not connect.
                Ok(None) => {}
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: Box<dyn Stream>, tls: Option<Tls>, site: Arc<Site>, is_complete: Arc<AtomicBool>) {
    let stream = match tls {
        Some(tls) => match tokio::time::timeout(HEAD, tls.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            // A failed handshake is not logged: the client reports it.
            Ok(Err(_)) | Err(_) => return,
        },
        None => stream,
    };
    let service = service_fn(move |request| {
        is_complete.store(true, Ordering::SeqCst);
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.answer(request).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    // Without keep-alive, a second request on the connection is never read.
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).keep_alive(false);
    // A forwarder may close its sending side after the request and still wait for the response.
    http.half_close(true).max_buf_size(LARGEST_HEAD).max_headers(MOST_FIELDS);
    drop(tokio::time::timeout(PATIENCE, http.serve_connection(TokioIo::new(stream), service)).await);
}
