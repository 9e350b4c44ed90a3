//! The gRPC service, in the form of generated code.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use futures_util::future::{BoxFuture, Ready, ready};
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::connection::Usage;
use crate::proto::{DiscoveryRequest, DiscoveryResponse};
use crate::stream::{Shared, responses};

/// The name of the service.
pub const SERVICE: &str = "envoy.service.secret.v3.SecretDiscoveryService";

const STREAM_SECRETS: &str = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets";

/// A request contains the list of Envoy's extensions, some 50 kB.
const LARGEST_REQUEST: usize = 1 << 20;

/// Serves `StreamSecrets`. `DeltaSecrets` and `FetchSecrets` are used only by configurations that
/// name them, and are not implemented.
#[derive(Clone)]
pub(crate) struct SecretDiscovery(pub(crate) Shared);

impl NamedService for SecretDiscovery {
    const NAME: &'static str = SERVICE;
}

impl Service<http::Request<Body>> for SecretDiscovery {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = StreamSecrets(self.0.clone());
        Box::pin(async move {
            if request.uri().path() != STREAM_SECRETS {
                return Ok(Status::unimplemented("only StreamSecrets is served").into_http());
            }
            let mut grpc = Grpc::new(ProstCodec::default()).max_decoding_message_size(LARGEST_REQUEST);
            Ok(grpc.streaming(method, request).await)
        })
    }
}

struct StreamSecrets(Shared);

impl StreamingService<DiscoveryRequest> for StreamSecrets {
    type Response = DiscoveryResponse;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<DiscoveryResponse, Status>> + Send>>;
    type Future = Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<DiscoveryRequest>>) -> Self::Future {
        let in_use = request.extensions().get().map(Usage::begin);
        ready(Ok(Response::new(Box::pin(responses(request.into_inner(), self.0.clone(), in_use)))))
    }
}
