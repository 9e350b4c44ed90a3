//! Client of the token endpoint in a sandbox, in the form of Azure App Service: `IDENTITY_ENDPOINT`
//! and `IDENTITY_HEADER`.

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use shared_token_cache::{AgentSession, HostSettings};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::ask::{Ask, BUDGET};
use super::forms::Token;
use super::output::{Failure, clean};
use super::validity::{self, Validity};
use crate::agent::http::{AGENT_SESSION, AGENT_SESSION_OFF};

/// The address of the broker, and the secret that its clients send.
pub(super) struct Broker {
    endpoint: String,
    header: Zeroizing<String>,
    /// The cache key of this process's agent session, or why its variable names none.
    session: Result<Option<String>, String>,
}

/// The largest response.
const LARGEST: usize = 1 << 20;

/// The broker's error message is truncated to this many characters.
const LONGEST: usize = 500;

#[derive(Deserialize)]
struct Answer {
    // Moved into a secret, which is zeroized.
    access_token: String,
    expires_on: Seconds,
    #[serde(default)]
    token_type: Option<String>,
}

/// A number, or its digits as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

/// The fields with a broker's error message.
#[derive(Deserialize)]
struct Refusal {
    message: Option<String>,
    error_description: Option<String>,
}

impl Broker {
    pub(super) fn from_env() -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let session = HostSettings::agent_session_from_env();
        let session = session.map(|session| session.as_ref().map(AgentSession::cache_key));
        Some(Self { endpoint: variable("IDENTITY_ENDPOINT")?, header: variable("IDENTITY_HEADER")?.into(), session })
    }

    /// Requests a token. The protocol supports one scope and no claims.
    pub(super) async fn token(&self, ask: &Ask, validity: Validity) -> Result<Token, Failure> {
        let [scope] = ask.scopes.as_slice() else {
            return Err(Failure::invalid("the broker of this sandbox accepts one scope in each request"));
        };
        let resource = scope.strip_suffix("/.default").ok_or_else(|| {
            Failure::invalid(format!("the broker of this sandbox accepts scopes that end in /.default, not {scope:?}"))
        })?;
        if ask.claims.is_some() {
            return Err(Failure::invalid("the broker of this sandbox accepts no claims"));
        }
        let asked_at = validity::now();
        let answer = tokio::time::timeout(BUDGET, self.get(resource)).await;
        let token = answer.unwrap_or_else(|_| Err(unreachable(format!("no answer within {} s", BUDGET.as_secs()))))?;
        let issuer = tenant_of(token.token.expose());
        if let Some(asked) = ask.tenant.as_deref().filter(|asked| is_id(asked))
            && issuer.as_deref().is_none_or(|issuer| !asked.eq_ignore_ascii_case(issuer))
        {
            let issuer = issuer.as_deref().map_or_else(|| "which it does not name".to_owned(), clean);
            let what = format!("the broker's token is for the tenant {issuer}, but the request asks for {asked}");
            return Err(Failure::other(anyhow::anyhow!(
                "{what}; use a profile for that tenant outside of the sandbox"
            )));
        }
        validity.check(token.expires_on, asked_at)?;
        Ok(token)
    }

    async fn get(&self, resource: &str) -> Result<Token, Failure> {
        let uri: Uri =
            self.endpoint.parse().map_err(|error| Failure::invalid(format!("IDENTITY_ENDPOINT: {error}")))?;
        let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(Failure::invalid("IDENTITY_ENDPOINT: only http:// is supported"));
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let path = uri.path();
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("api-version", "2019-08-01")
            .append_pair("resource", resource)
            .finish();
        let request = Request::get(format!("{path}?{query}"))
            .header("host", authority.as_str())
            .header("x-identity-header", self.header.as_str())
            .header("accept", "application/json");
        let session = self.session.as_ref().map_err(Failure::invalid)?;
        let request = match session {
            Some(session) => request.header(AGENT_SESSION, session),
            None => request,
        };
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(|error| Failure::invalid(format!("IDENTITY_HEADER: {error}")))?;
        let stream = TcpStream::connect((host.as_str(), authority.port_u16().unwrap_or(80))).await;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream.map_err(unreachable)?)).await.map_err(unreachable)?;
        let driver = tokio::spawn(connection);
        let reply = sender.send_request(request).await.map_err(unreachable)?;
        let status = reply.status();
        let mark = reply.headers().get(AGENT_SESSION).map(|mark| mark.as_bytes().to_vec());
        let body = Limited::new(reply.into_body(), LARGEST).collect().await.map_err(unreachable)?;
        let body = Zeroizing::new(body.to_bytes().to_vec());
        driver.abort();
        if !status.is_success() {
            let refusal: Option<Refusal> = serde_json::from_slice(&body).ok();
            let message = refusal.and_then(|refusal| refusal.message.or(refusal.error_description)).unwrap_or_default();
            let message: String = clean(&message.replace(&*self.header, "[secret]")).chars().take(LONGEST).collect();
            let message = if message.is_empty() { String::new() } else { format!(": {message}") };
            return Err(Failure::other(anyhow::anyhow!(
                "the broker of this sandbox refused, status {}{message}",
                status.as_u16()
            )));
        }
        if let Some(session) = session
            && mark.as_deref().is_none_or(|mark| mark != session.as_bytes() && mark != AGENT_SESSION_OFF.as_bytes())
        {
            return Err(Failure::other(anyhow::anyhow!(
                "COPILOT_AGENT_SESSION_ID is set, and the broker of this sandbox does not say that its token is of that agent \
                 session; use a broker of this version or later"
            )));
        }
        let unclear = || Failure::other(anyhow::anyhow!("the broker of this sandbox sent an invalid answer"));
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| unclear())?;
        let expires_on = match answer.expires_on {
            Seconds::Number(number) => number,
            Seconds::Text(text) => text.parse().map_err(|_| unclear())?,
        };
        // A line break in a token would forge a line of the output's format.
        let is_token =
            !answer.access_token.is_empty() && answer.access_token.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_token || expires_on <= validity::now() {
            drop(Zeroizing::new(answer.access_token));
            return Err(unclear());
        }
        let token_type = answer.token_type.unwrap_or_else(|| "Bearer".to_owned());
        let source = "broker".to_owned();
        Ok(Token { token: answer.access_token.into(), expires_on, refresh_on: None, token_type, source })
    }
}

fn unreachable(why: impl std::fmt::Display) -> Failure {
    Failure::other(anyhow::anyhow!("cannot reach the broker of this sandbox: {why}"))
}

/// Whether a text is a tenant's id, and not a domain or an alias such as `organizations`.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// The tenant in a token's claims, if they can be read. The signature is not verified: a forger
/// would already have the token.
pub(super) fn tenant_of(token: &str) -> Option<String> {
    use base64::Engine as _;
    #[derive(Deserialize)]
    struct Claims {
        tid: String,
    }
    let payload = token.split('.').nth(1)?;
    let payload = Zeroizing::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).ok()?);
    serde_json::from_slice::<Claims>(&payload).ok().map(|claims| claims.tid)
}
