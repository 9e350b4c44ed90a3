//! Accepts connections and answers requests.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::message::{Received, Reply};

/// More than every form needs: a refresh token is some 2 kB long.
const LARGEST_REQUEST: usize = 1 << 20;

/// The pause after an accept fails, for example without file descriptors.
const PAUSE: Duration = Duration::from_millis(10);

type Respond = Box<dyn FnMut(&Received) -> Reply + Send>;
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// The state that the endpoint and its connections share.
pub(crate) struct Shared {
    script: Mutex<Script>,
    connections: AtomicUsize,
}

struct Script {
    respond: Respond,
    requests: Vec<Received>,
}

impl Shared {
    pub(crate) fn new(respond: Respond) -> Self {
        Self { script: Mutex::new(Script { respond, requests: Vec::new() }), connections: AtomicUsize::new(0) }
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.script().requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// One lock for both steps, so that `requests` has the order of the calls of `respond`.
    fn reply(&self, request: Received) -> Reply {
        let mut script = self.script();
        let reply = (script.respond)(&request);
        script.requests.push(request);
        reply
    }

    /// A panic in `respond` makes the test fail; the endpoint continues.
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("connections", &self.connections()).finish_non_exhaustive()
    }
}

/// Serves until its task is aborted; the open connections end with it.
pub(crate) async fn serve(listener: TcpListener, tls: Option<Arc<ServerConfig>>, shared: Arc<Shared>) {
    let acceptor = tls.map(TlsAcceptor::from);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, acceptor.clone(), Arc::clone(&shared)));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Errors of a connection are ignored, because its client reports them: a client that does not
/// trust the CA ends the connection here.
async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    match acceptor {
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve_on(stream, shared).await;
            }
        }
        None => serve_on(stream, shared).await,
    }
}

async fn serve_on(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    shared.connections.fetch_add(1, Ordering::SeqCst);
    let service = service_fn(|request| answer(request, &shared));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, shared: &Shared) -> Result<Response<Content>, Fault> {
    let reply = shared.reply(received(request).await?);
    tokio::time::sleep(reply.delay).await;
    if reply.hang_up {
        // hyper closes the connection when its service fails.
        return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into());
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let chunk = Bytes::from(reply.body);
    Ok(response.body(Content { chunk, left: reply.chunks.unwrap_or(1), length_is_told: reply.chunks.is_none() })?)
}

/// The same bytes, repeated.
struct Content {
    chunk: Bytes,
    left: usize,
    length_is_told: bool,
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(self.chunk.clone()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        let length = u64::try_from(self.chunk.len()).unwrap_or(u64::MAX);
        if self.length_is_told { SizeHint::with_exact(length) } else { SizeHint::default() }
    }
}

async fn received(request: Request<Incoming>) -> Result<Received, Fault> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_REQUEST).collect().await?.to_bytes();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers: Vec<(String, String)> =
        head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
    Ok(Received {
        method: head.method.to_string(),
        host: head.headers.get("host").map(|host| text(host.as_bytes())).unwrap_or_default(),
        path: head.uri.path_and_query().map(|path| path.to_string()).unwrap_or_default(),
        headers,
        form: url::form_urlencoded::parse(&body).into_owned().collect(),
    })
}
