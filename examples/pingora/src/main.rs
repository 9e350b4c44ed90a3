//! A reverse proxy on pingora that puts the token of a profile on every request to its upstream.

#![allow(clippy::print_stderr, reason = "where a program says what it does, and why it can't")]

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
    // What pingora logs of a request does not hold its headers at this level.
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
    /// The value of the header that this request gets.
    type CTX = Option<HeaderValue>;

    fn new_ctx(&self) -> Self::CTX {
        None
    }

    /// Answers itself when there is no token: the upstream sees no request without one.
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

    /// Comes after pingora has taken away what `Connection` names, so a client can neither send an `Authorization` of its own nor have
    /// this one taken away.
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
