//! A reverse proxy on pingora that puts the token of a profile on every request to its upstream.

#![allow(clippy::print_stderr, reason = "the log of the program")]

mod settings;
mod token;
mod upstream;

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderValue, header};
use pingora::ErrorType::HTTPStatus;
use pingora::http::RequestHeader;
use pingora::proxy::{ProxyHttp, Session, http_proxy_service};
use pingora::server::Server;
use pingora::services::background::background_service;
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, Result};

use settings::Settings;
use token::Token;
use upstream::Upstream;

fn main() -> ExitCode {
    // At this level, pingora does not log headers.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .init();
    match Settings::from_arguments(std::env::args().skip(1)) {
        Ok(settings) => serve(settings),
        Err(error) => {
            eprintln!("pingora-example: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(settings: Settings) -> ExitCode {
    eprintln!("pingora-example: every client of {} acts as the signed-in user", settings.listen);
    let mut server = Server::new_with_opt_and_conf(None, settings::server());
    let token = background_service("token", settings.token);
    let proxy = Proxy { upstream: settings.upstream, token: token.task() };
    let mut proxy = http_proxy_service(&server.configuration, proxy);
    proxy.add_tcp(&settings.listen.to_string());
    server.add_service(token);
    server.add_service(proxy);
    server.bootstrap();
    server.run_forever()
}

struct Proxy {
    upstream: Upstream,
    token: Arc<Token>,
}

#[async_trait]
impl ProxyHttp for Proxy {
    /// The header value for this request.
    type CTX = Option<HeaderValue>;

    fn new_ctx(&self) -> Self::CTX {
        None
    }

    /// Responds with 401 if there is no token: no request without one reaches the upstream.
    async fn request_filter(&self, session: &mut Session, authorization: &mut Self::CTX) -> Result<bool> {
        *authorization = self.token.authorization();
        if authorization.is_none() {
            session.respond_error(401).await?;
        }
        Ok(authorization.is_none())
    }

    async fn upstream_peer(&self, _: &mut Session, _: &mut Self::CTX) -> Result<Box<HttpPeer>> {
        self.upstream.peer().await
    }

    /// Runs after pingora has removed the headers that `Connection` names, so a client can neither
    /// send its own `Authorization` nor remove this one.
    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        authorization: &mut Self::CTX,
    ) -> Result<()> {
        let authorization = authorization.clone().ok_or_else(|| Error::new(HTTPStatus(401)))?;
        request.insert_header(header::AUTHORIZATION, authorization)?;
        request.insert_header(header::HOST, self.upstream.authority())
    }
}
