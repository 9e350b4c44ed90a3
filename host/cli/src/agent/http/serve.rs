//! Connections: one request each, with a limit on its size and its time.

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

/// How long the handshake of TLS may take, and then the head of the request.
const HEAD: Duration = Duration::from_secs(5);

/// How long a connection may last. A request waits 30 s for its token at most.
const PATIENCE: Duration = Duration::from_secs(45);

/// The most bytes of the head of a request. A key has 64, a resource some 100.
const LARGEST_HEAD: usize = 16 << 10;

/// So many header fields; clients send 10.
const MOST_FIELDS: usize = 64;

/// The pause when no connection can be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// So many connections at once on a listener. A further one takes the place of the oldest whose request is not complete.
const MOST: usize = 64;

/// Serves the connections of a listener, until it is dropped.
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
                    // The ended ones close at once; the process has so many files and no more.
                    while connections.len() > crowd.most && connections.join_next().await.is_some() {}
                    // A connection that has its request already is served before it could be the oldest.
                    tokio::task::yield_now().await;
                }
                // Of a user who may not connect.
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
            // What goes wrong on a connection is its client's to notice.
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
    // Without keep-alive a second request on the connection, sent behind the first, is never read.
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).keep_alive(false);
    // A forwarder may end its side behind the request, and waits for the answer all the same.
    http.half_close(true).max_buf_size(LARGEST_HEAD).max_headers(MOST_FIELDS);
    drop(tokio::time::timeout(PATIENCE, http.serve_connection(TokioIo::new(stream), service)).await);
}
