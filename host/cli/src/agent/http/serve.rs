//! Connections: one request each, with limits on size and time.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};

use super::super::connections;
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

/// Serves the connections of a listener until the future is dropped.
pub(super) async fn serve(listener: Listener, tls: Option<Tls>, site: &Arc<Site>) {
    let connection = |stream, is_complete| connection(stream, tls.clone(), Arc::clone(site), is_complete);
    connections::serve("the HTTP endpoint has", || listener.accept(), connection).await;
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
