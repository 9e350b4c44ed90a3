//! The upstream: a server that records the requests that reach it.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::AUTHORIZATION;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) path: String,
    /// The values of all its `Authorization` headers.
    pub(crate) authorization: Vec<String>,
    pub(crate) at: Instant,
}

type Requests = Arc<Mutex<Vec<Seen>>>;

/// A server on loopback that runs until it is dropped. Its body is always the `Authorization` of
/// the request.
pub(crate) struct Upstream {
    address: SocketAddr,
    requests: Requests,
    _runtime: Runtime,
}

impl Upstream {
    /// Listens on a free port.
    pub(crate) fn start() -> Result<Self> {
        Self::at((Ipv4Addr::LOCALHOST, 0).into())
    }

    pub(crate) fn at(address: SocketAddr) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let requests = Requests::default();
        runtime.spawn(serve(listener, Arc::clone(&requests)));
        Ok(Self { address, requests, _runtime: runtime })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far, in order of arrival.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        lock(&self.requests).clone()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget(&self) {
        lock(&self.requests).clear();
    }
}

async fn serve(listener: TcpListener, requests: Requests) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let requests = Arc::clone(&requests);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(&request, &requests);
                async { Ok::<_, Infallible>(answer) }
            });
            // The client notices and counts a broken connection.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn answer<B>(request: &Request<B>, requests: &Requests) -> Response<Full<Bytes>> {
    let values = request.headers().get_all(AUTHORIZATION).iter();
    let authorization: Vec<String> =
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    let body = Bytes::from(authorization.join("\n"));
    lock(requests).push(Seen { path: request.uri().path().to_owned(), authorization, at: Instant::now() });
    Response::new(Full::new(body))
}

fn lock(requests: &Requests) -> MutexGuard<'_, Vec<Seen>> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::get;

    #[test]
    fn every_header_is_remembered() {
        let upstream = Upstream::start().unwrap();
        let answer = get(upstream.address, "/a", &[("authorization", "one"), ("authorization", "two")]).unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "one\ntwo"));
        get(upstream.address, "/b", &[]).unwrap();
        let requests = upstream.requests();
        assert_eq!(requests.iter().map(|seen| seen.path.as_str()).collect::<Vec<_>>(), ["/a", "/b"]);
        assert_eq!(requests[0].authorization, ["one", "two"]);
        assert!(requests[1].authorization.is_empty());
        upstream.forget();
        assert!(upstream.requests().is_empty());
    }
}
