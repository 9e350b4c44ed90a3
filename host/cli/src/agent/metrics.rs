//! Metrics for Prometheus: lifetimes of tokens, numbers of requests, and readers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use shared_token_cache::{RefreshCounts, TokenState};
use shared_token_cache_sds::Stats;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::connections;

/// The OpenMetrics format, which Prometheus reads.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The time limit of a connection, which serves one request.
const PATIENCE: Duration = Duration::from_secs(5);

/// The time limit of the head of a request.
const HEAD: Duration = Duration::from_secs(2);

/// The page with the metrics, at `/metrics`.
pub(crate) struct Metrics(TcpListener);

/// The values of the metrics.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(super) profiles: BTreeMap<String, ProfileNumbers>,
    pub(super) sds: Option<Arc<Stats>>,
}

/// The values of a profile.
#[derive(Debug)]
pub(super) struct ProfileNumbers {
    pub(super) state: watch::Receiver<TokenState>,
    pub(super) attempts: RefreshCounts,
}

impl Metrics {
    /// Begins to listen.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// The address that it listens at.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    pub(super) async fn serve(self, numbers: Numbers, stopped: impl Future<Output = ()>) {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(numbers));
        let registry = Arc::new(registry);
        let listener = &self.0;
        let accept = || async move { listener.accept().await.map(|(stream, peer)| Some((stream, peer.ip()))) };
        let connection = |stream, is_complete| connection(TokioIo::new(stream), Arc::clone(&registry), is_complete);
        tokio::select! {
            () = connections::serve("the metrics have", accept, connection) => {}
            () = stopped => {}
        }
    }
}

async fn connection(stream: TokioIo<tokio::net::TcpStream>, registry: Arc<Registry>, is_complete: Arc<AtomicBool>) {
    let service = service_fn(|request| {
        is_complete.store(true, Ordering::SeqCst);
        let response = answer(&request, &registry);
        async { Ok::<_, Infallible>(response) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).keep_alive(false);
    // Errors of a connection are not logged: the client reports them.
    drop(tokio::time::timeout(PATIENCE, http.serve_connection(stream, service)).await);
}

fn answer(request: &Request<Incoming>, registry: &Registry) -> Response<Full<Bytes>> {
    let mut text = String::new();
    let (status, content_type) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            match prometheus_client::encoding::text::encode(&mut text, registry) {
                Ok(()) => (StatusCode::OK, CONTENT_TYPE),
                Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "text/plain"),
            }
        }
        (&Method::GET | &Method::HEAD, _) => (StatusCode::NOT_FOUND, "text/plain"),
        _ => (StatusCode::METHOD_NOT_ALLOWED, "text/plain"),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static(content_type));
    response
}

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let lives = |profile: &ProfileNumbers| match &*profile.state.borrow() {
            TokenState::Valid(token) => signed(token.expires_on) - signed(now),
            TokenState::Pending | TokenState::Withdrawn(_) => 0,
        };
        let mut family = encoder.encode_descriptor(
            "shared_token_cache_token_expiry_seconds",
            "Seconds until the token expires; 0 where there is none",
            None,
            MetricType::Gauge,
        )?;
        for (name, profile) in &self.profiles {
            ConstGauge::new(lives(profile)).encode(family.encode_family(&[("profile", name.as_str())])?)?;
        }
        let mut family = encoder.encode_descriptor(
            "shared_token_cache_refreshes",
            "Calls for a token, by outcome",
            None,
            MetricType::Counter,
        )?;
        for (name, profile) in &self.profiles {
            for (outcome, count) in profile.attempts.counts() {
                let labels = [("profile", name.as_str()), ("outcome", outcome)];
                ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        match &self.sds {
            Some(stats) => encode_stats(stats, &mut encoder),
            None => Ok(()),
        }
    }
}

fn encode_stats(stats: &Stats, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let streams = ConstGauge::new(signed(stats.streams()));
    let name = "shared_token_cache_sds_streams";
    streams.encode(encoder.encode_descriptor(name, "Streams that are open", None, MetricType::Gauge)?)?;
    for (name, help, count) in [
        ("shared_token_cache_sds_responses", "Responses sent", stats.pushed()),
        ("shared_token_cache_sds_acks", "Responses that their reader accepted", stats.accepted()),
        ("shared_token_cache_sds_nacks", "Responses that their reader rejected", stats.rejected()),
        ("shared_token_cache_sds_refused_connections", "Connections of users who may not have tokens", stats.refused()),
    ] {
        ConstCounter::new(count).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
    }
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
