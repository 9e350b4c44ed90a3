//! Tokens over HTTP for Azure clients, in the protocols of a managed identity and of azd.
//!
//! A request needs the key of a client, and gets a token of one of this client's profiles. The
//! tokens come from the library, under the same policy, vault and audit as everywhere. Requests
//! that a browser could send are refused: a foreign `Host`, and any `Origin`.

mod agent_session;
mod app_service;
mod azd;
mod clients;
mod environment;
mod hosts;
mod key;
mod listen;
mod rate;
mod reply;
mod select;
mod serve;
mod tls;
mod tokens;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::{Body as _, Incoming};
use hyper::{Request, StatusCode, header};
use shared_token_cache::{AuditLine, AuditSink as _};

pub(crate) use agent_session::{FIELD as AGENT_SESSION, OFF as AGENT_SESSION_OFF};
pub(crate) use clients::{Client, Granted};
pub(crate) use environment::{Environment, Form, Place};
pub(crate) use hosts::{Hosts, HttpHost};
pub(crate) use key::{Key, KeyFile, folder as key_folder};
pub(crate) use listen::{Address, Listener};
pub(crate) use tls::Tls;
pub(crate) use tokens::ProfileTokens;

use super::Audit;
use agent_session::Marks;
use app_service::Dialect;
use clients::NoClient;
use rate::Rate;
use reply::{Refusal, Reply};
use tokens::Calls;

/// The prefix of paths with a key.
const KEY_PATH: &str = "/key/";

/// The rate limit of audit lines for requests without a valid key, which anyone can send: burst,
/// and lines per second.
const REFUSED_LINES: (u32, f64) = (60, 1.0);

/// The time limit at the end for calls that requests have started.
const LAST_CALLS: Duration = Duration::from_secs(4);

/// An endpoint with open listeners.
pub(crate) struct Http {
    pub(crate) listeners: Vec<Listener>,
    pub(crate) clients: Vec<Client>,
    pub(crate) hosts: Hosts,
    /// Whether a key may be in the path of a URL, for clients that cannot send the header.
    pub(crate) key_in_path: bool,
    pub(crate) tls: Option<Tls>,
    pub(crate) audit: Option<Audit>,
}

/// The state that requests are answered from.
struct Site {
    clients: Vec<Client>,
    hosts: Hosts,
    key_in_path: bool,
    tokens: BTreeMap<String, ProfileTokens>,
    calls: Calls,
    audit: Option<Audit>,
    /// The rate limit of audit lines for refusals without a client.
    refused: Mutex<Rate>,
}

/// The request's fields for the audit.
struct Asked<'a> {
    operation: &'static str,
    client: Option<&'a Client>,
    profile: Option<&'a str>,
    scopes: Vec<String>,
    start: Instant,
}

impl Http {
    /// Serves until `stopped`, then closes all connections.
    pub(crate) async fn serve(self, tokens: BTreeMap<String, ProfileTokens>, stopped: impl Future<Output = ()>) {
        let calls = Calls::new();
        let site = Arc::new(Site {
            clients: self.clients,
            hosts: self.hosts,
            key_in_path: self.key_in_path,
            tokens,
            calls: calls.clone(),
            audit: self.audit,
            refused: Mutex::new(Rate::new(REFUSED_LINES.0, REFUSED_LINES.1)),
        });
        {
            let listening = self.listeners.into_iter().map(|listener| serve::serve(listener, self.tls.clone(), &site));
            tokio::select! {
                _ = futures_util::future::join_all(listening) => {}
                () = stopped => {}
            }
        }
        if tokio::time::timeout(LAST_CALLS, calls.ended()).await.is_err() {
            tracing::warn!("a call for an HTTP request was still under way after {LAST_CALLS:?}");
        }
    }
}

impl Site {
    async fn answer(&self, request: Request<Incoming>) -> Reply {
        let mut asked =
            Asked { operation: "http", client: None, profile: None, scopes: Vec::new(), start: Instant::now() };
        if let Err(refusal) = self.check(&request) {
            return self.refuse(&asked, &refusal).reply();
        }
        let path = request.uri().path();
        if path == azd::PATH {
            asked.operation = azd::OPERATION;
            return match self.for_azd(request, &mut asked).await {
                Ok(reply) => reply,
                Err(refusal) => azd::refusal(self.refuse(&asked, &refusal)),
            };
        }
        let key = match path.strip_prefix(KEY_PATH).and_then(|rest| rest.strip_suffix(app_service::PATH)) {
            Some(key) if self.key_in_path => Some(key.as_bytes().to_vec()),
            Some(_) | None if path == app_service::PATH => None,
            Some(_) | None => {
                let message = format!("there is nothing at this path; use {} or {}", app_service::PATH, azd::PATH);
                return self.refuse(&asked, &Refusal::forbidden("path", message)).reply();
            }
        };
        match self.for_app_service(&request, key, &mut asked).await {
            Ok(reply) => reply,
            Err(refusal) => self.refuse(&asked, &refusal).reply(),
        }
    }

    /// Refuses requests that a page in a browser can send.
    fn check<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        let foreign = |what| Err(Refusal::forbidden("host", format!("{what}; name the host with --http-host")));
        let mut hosts = request.headers().get_all(header::HOST).iter();
        match (hosts.next(), hosts.next()) {
            (Some(host), None) if self.hosts.allow(host.as_bytes()) => {}
            (Some(_), None) => return foreign("the header Host names another host"),
            _ => return foreign("the request needs one header Host"),
        }
        if request.uri().authority().is_some_and(|host| !self.hosts.allow(host.as_str().as_bytes())) {
            return foreign("the URL names another host");
        }
        if request.headers().contains_key(header::ORIGIN) {
            return Err(Refusal::forbidden("origin", "pages in browsers get no tokens"));
        }
        Ok(())
    }

    async fn for_app_service<'a>(
        &'a self,
        request: &Request<Incoming>,
        key: Option<Vec<u8>>,
        asked: &mut Asked<'a>,
    ) -> Result<Reply, Refusal> {
        let read = app_service::read(request, key.is_some());
        let dialect = read.as_ref().map_or(Dialect::AppService, |read| read.dialect);
        asked.operation = dialect.operation();
        let header = request.headers().get(dialect.key_header());
        let client = self.client(key.as_deref().or(header.map(header::HeaderValue::as_bytes)))?;
        asked.client = Some(client);
        let _turn = turn(client)?;
        let wanted = read?;
        asked.scopes = wanted.scopes();
        if !request.body().is_end_stream() {
            let message = "a request for a token has no body";
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "body", message));
        }
        let (profile, tokens) = wanted.choose(self, client)?;
        asked.profile = Some(profile);
        let session = request.headers().get(agent_session::FIELD);
        let session = session.map(|session| tokens.marks().answer(profile, session)).transpose()?;
        let token = tokens.token(&asked.scopes, &self.calls).await;
        let token = token.map_err(|error| failed(client, profile, &error))?;
        self.served(asked, tokens);
        let mut reply = wanted.reply(&token, tokens);
        if let Some(session) = session {
            reply.headers_mut().insert(agent_session::FIELD, session);
        }
        Ok(reply)
    }

    async fn for_azd<'a>(&'a self, request: Request<Incoming>, asked: &mut Asked<'a>) -> Result<Reply, Refusal> {
        let checked = azd::check(&request);
        let client = self.client(azd::key(&request))?;
        asked.client = Some(client);
        let _turn = turn(client)?;
        checked?;
        let wanted = azd::read(request).await?;
        asked.scopes.clone_from(&wanted.scopes);
        let (profile, tokens) = wanted.choose(self, client)?;
        asked.profile = Some(profile);
        let token = tokens.token(&asked.scopes, &self.calls).await;
        let token = token.map_err(|error| failed(client, profile, &error))?;
        self.served(asked, tokens);
        Ok(azd::reply(&token))
    }

    fn client(&self, key: Option<&[u8]>) -> Result<&Client, Refusal> {
        let unknown = |reason, message: &str| Refusal::new(StatusCode::UNAUTHORIZED, "invalid_client", reason, message);
        let key = key.ok_or_else(|| unknown("no-key", "the request has no key, such as IDENTITY_HEADER"))?;
        clients::find(&self.clients, key).map_err(|why| match why {
            NoClient::Unknown => unknown("wrong-key", "the key is not one of this agent's; a new agent has new keys"),
            NoClient::Revoked => unknown("revoked-key", "the key was revoked"),
        })
    }

    fn served(&self, asked: &Asked<'_>, tokens: &ProfileTokens) {
        if let Some(client) = asked.client {
            client.is_news(None);
        }
        self.audit(asked, "served", None, Some(tokens.marks()));
    }

    fn refuse<'r>(&self, asked: &Asked<'_>, refusal: &'r Refusal) -> &'r Refusal {
        let may = |_| self.refused.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now()).is_ok();
        if asked.client.is_some() || may(()) {
            self.audit(asked, refusal.outcome, refusal.reason, None);
        }
        refusal
    }

    /// `marks` are those of the token, if there is one.
    fn audit(&self, asked: &Asked<'_>, outcome: &'static str, reason: Option<&'static str>, marks: Option<&Marks>) {
        let mut line = AuditLine::of_request(asked.operation, outcome, reason, &asked.scopes, asked.start.elapsed());
        line.client = asked.client.map(|client| client.granted.name.to_string());
        line.profile = asked.profile.map(str::to_owned);
        line.agent_session = marks.map(|marks| matches!(marks, Marks::Session(Some(_))));
        line.emit();
        if let Some(Err(error)) = self.audit.as_ref().map(|audit| audit.write(&line)) {
            tracing::warn!("cannot write a line of the audit: {error}");
        }
    }
}

/// Takes a slot from the client's rate limit and one of its concurrent requests, which is free
/// again when the permit is dropped.
fn turn(client: &Client) -> Result<tokio::sync::SemaphorePermit<'_>, Refusal> {
    client.take_turn().map_err(|pause| Refusal::too_many("rate", pause))?;
    client.at_once.try_acquire().map_err(|_| Refusal::too_many("at-once", Duration::from_secs(1)))
}

/// The response names only the kind of a failure. The log has the details, once while the failure
/// lasts.
fn failed(client: &Client, profile: &str, error: &shared_token_cache::Error) -> Refusal {
    let text = format!("profile {profile}: {error}");
    if client.is_news(Some(text.clone())) {
        tracing::warn!("the client {} gets no token: {text}", client.granted.name);
    }
    Refusal::no_token(profile, error)
}
