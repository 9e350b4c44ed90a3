//! A reader like Envoy, with its own definitions of the messages, so that the server's encoding is
//! checked by independent code.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use shared_token_cache_sds::Secret;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::Service;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::http::{Request as HttpRequest, Response as HttpResponse, Uri};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::SOON;
use crate::agent::Agent;

const TYPE: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

/// With the field that the server skips.
#[derive(Clone, PartialEq, Message)]
struct DiscoveryRequest {
    #[prost(string, tag = "1")]
    version_info: String,
    #[prost(bytes = "vec", tag = "2")]
    node: Vec<u8>,
    #[prost(string, repeated, tag = "3")]
    resource_names: Vec<String>,
    #[prost(string, tag = "4")]
    type_url: String,
    #[prost(string, tag = "5")]
    response_nonce: String,
    #[prost(message, optional, tag = "6")]
    error_detail: Option<ErrorDetail>,
}

#[derive(Clone, PartialEq, Message)]
struct ErrorDetail {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[derive(Clone, PartialEq, Message)]
struct DiscoveryResponse {
    #[prost(string, tag = "1")]
    version_info: String,
    #[prost(message, repeated, tag = "2")]
    resources: Vec<Any>,
    #[prost(string, tag = "4")]
    type_url: String,
    #[prost(string, tag = "5")]
    nonce: String,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(message, optional, tag = "2")]
    secret: Option<Named>,
}

#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "5")]
    generic: Option<Generic>,
}

#[derive(Clone, PartialEq, Message)]
struct Generic {
    #[prost(message, optional, tag = "1")]
    source: Option<Source>,
}

#[derive(Clone, PartialEq, Message)]
struct Source {
    #[prost(string, optional, tag = "3")]
    inline: Option<String>,
}

pub(crate) fn token(text: &str) -> Secret {
    Secret::Token(Arc::new(text.to_owned().into()))
}

/// What requests name as their authority.
pub(crate) fn origin() -> Uri {
    Uri::from_static("http://localhost")
}

/// A connection without tonic's own client, whose features would compile tonic anew for the tests.
#[derive(Clone)]
pub(crate) struct Connection(SendRequest<Body>);

impl Service<HttpRequest<Body>> for Connection {
    type Response = HttpResponse<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = hyper::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

/// The calls over a connection.
pub(crate) struct Client {
    pub(crate) connection: Connection,
}

/// A stream of it.
pub(crate) struct Reader {
    requests: mpsc::Sender<DiscoveryRequest>,
    responses: Streaming<DiscoveryResponse>,
    nonce: String,
}

impl Client {
    pub(crate) async fn connect(agent: &Agent) -> Self {
        let stream = UnixStream::connect(&agent.path).await.unwrap();
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { connection: Connection(sender) }
    }

    pub(crate) fn grpc(&self) -> Grpc<Connection> {
        Grpc::with_origin(self.connection.clone(), origin())
    }

    /// A stream that requests these names.
    pub(crate) async fn read(&self, names: &[&str]) -> Reader {
        let (requests, sent) = mpsc::channel(4);
        let stream = futures_util::stream::unfold(sent, |mut sent| async { Some((sent.recv().await?, sent)) });
        requests.send(request(names, "", None)).await.unwrap();
        let mut grpc = self.grpc();
        grpc.ready().await.unwrap();
        let method = PathAndQuery::from_static("/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets");
        let responses = grpc.streaming(Request::new(stream), method, ProstCodec::default()).await.unwrap();
        Reader { requests, responses: responses.into_inner(), nonce: String::new() }
    }

    /// The status of a call of another method.
    pub(crate) async fn call(&self, method: &str) -> Status {
        let mut grpc = self.grpc();
        grpc.ready().await.unwrap();
        let path = format!("/envoy.service.secret.v3.SecretDiscoveryService/{method}").parse().unwrap();
        let codec = ProstCodec::<DiscoveryRequest, DiscoveryResponse>::default();
        grpc.unary(Request::new(request(&["a"], "", None)), path, codec).await.unwrap_err()
    }
}

impl Reader {
    /// The secrets of the next response.
    pub(crate) async fn next(&mut self) -> Vec<(String, String)> {
        let response = self.message().await.unwrap().expect("the stream goes on");
        assert_eq!(response.type_url, TYPE);
        assert!(!response.nonce.is_empty() && response.nonce != self.nonce && !response.version_info.is_empty());
        self.nonce = response.nonce;
        let secret = |any: Any| {
            assert_eq!(any.type_url, TYPE);
            let named = any.secret.unwrap();
            (named.name, named.generic.unwrap().source.unwrap().inline.unwrap())
        };
        response.resources.into_iter().map(secret).collect()
    }

    /// The error that the stream ends with.
    pub(crate) async fn status(&mut self) -> Status {
        self.message().await.unwrap_err()
    }

    /// Whether the stream ends without an error.
    pub(crate) async fn is_over(&mut self) -> bool {
        self.message().await.unwrap().is_none()
    }

    pub(crate) async fn accept(&mut self, names: &[&str]) {
        self.requests.send(request(names, &self.nonce, None)).await.unwrap();
    }

    pub(crate) async fn reject(&mut self, names: &[&str], why: &str) {
        let detail = ErrorDetail { code: 3, message: why.to_owned() };
        self.requests.send(request(names, &self.nonce, Some(detail))).await.unwrap();
    }

    async fn message(&mut self) -> Result<Option<DiscoveryResponse>, Status> {
        tokio::time::timeout(SOON, self.responses.message()).await.expect("an answer in time")
    }
}

fn request(names: &[&str], nonce: &str, error_detail: Option<ErrorDetail>) -> DiscoveryRequest {
    DiscoveryRequest {
        version_info: String::new(),
        // As large as Envoy's.
        node: vec![0; 60_000],
        resource_names: names.iter().map(|name| (*name).to_owned()).collect(),
        type_url: TYPE.to_owned(),
        response_nonce: nonce.to_owned(),
        error_detail,
    }
}
