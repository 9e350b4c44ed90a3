//! This product: the component in the host, with real files and a token endpoint over TLS.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared_token_cache as host;
use shared_token_cache::policy::{Access, CacheGrant, CacheName, Source};
use shared_token_cache::{
    AuthenticationRecord, Builder, Clock, HostSettings, Places, SharedTokenCacheCredential, TransportOptions,
};
use shared_token_cache_entra::cloud;
use tempfile::TempDir;
use token_endpoint::{Received, TokenEndpoint};
use tokio::runtime::Runtime;

use super::situation::{Call, Options, Outcome, Ran, Request};
use crate::case;
use crate::home;

/// The hosts in situations; the endpoint has a certificate for each.
fn hosts() -> impl Iterator<Item = &'static str> {
    cloud::hosts().chain(["login.contoso.com"])
}

/// One endpoint and one home for all situations.
pub(crate) struct Ours {
    runtime: Runtime,
    endpoint: TokenEndpoint,
    state: Arc<Mutex<State>>,
    home: TempDir,
}

#[derive(Default)]
struct State {
    call: Option<Call>,
    requests: Vec<Request>,
}

/// A credential for several calls.
pub(crate) struct Credential {
    /// The library takes a parsed record, so invalid text is refused before there is a credential.
    credential: Result<SharedTokenCacheCredential, String>,
    clock: ScriptedClock,
}

#[derive(Clone)]
struct ScriptedClock(Arc<AtomicU64>);

impl Clock for ScriptedClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Ours {
    /// Starts the endpoint.
    ///
    /// # Errors
    /// When it can't be started, or there is no temporary folder.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let state = Arc::new(Mutex::new(State::default()));
        let answering = Arc::clone(&state);
        let endpoint = runtime.block_on(TokenEndpoint::start(move |received| lock(&answering).answer(received)))?;
        let home = tempfile::tempdir()?;
        fs::write(home.path().join("ca.pem"), endpoint.ca_pem())?;
        fs::create_dir(home.path().join(".IdentityService"))?;
        Ok(Self { runtime, endpoint, state, home })
    }

    /// A new credential.
    ///
    /// # Errors
    /// When the host can't make one.
    pub(crate) fn credential(&self, options: &Options) -> io::Result<Credential> {
        let clock = ScriptedClock(Arc::new(AtomicU64::new(0)));
        let mut policy = home::anything()
            .allow_cache(CacheGrant::new(Source::Shared, Access::ReadWrite).with_name(CacheName::default()));
        for host in hosts() {
            policy = policy.allow_authority(host.parse().map_err(io::Error::other)?);
        }
        let mut settings = HostSettings::default();
        if let Some(default) = &options.default_authority {
            settings.default_authority_host.clone_from(default);
        }
        settings.disable_multitenant_authentication = options.disable_multitenant;
        let mut builder = SharedTokenCacheCredential::builder()
            .policy(policy)
            .sources([Source::Shared])
            .places(Places::below(self.home.path()))
            .host_settings(settings)
            .transport(self.transport())
            .clock(clock.clone());
        builder = with(builder, options.username.as_ref(), Builder::username);
        builder = with(builder, options.authority.as_ref(), Builder::authority);
        builder = with(builder, options.home_tenant.as_ref(), Builder::tenant_id);
        for tenant in &options.allowed_tenants {
            builder = builder.additionally_allowed_tenant(tenant);
        }
        if let Some(record) = &options.record {
            builder = match AuthenticationRecord::from_json(record) {
                Ok(record) => builder.authentication_record(record),
                Err(error) => return Ok(Credential { credential: Err(error.to_string()), clock }),
            };
        }
        Ok(Credential { credential: Ok(builder.build().map_err(io::Error::other)?), clock })
    }

    /// Makes a call.
    ///
    /// # Errors
    /// When the cache can't be read afterwards.
    pub(crate) fn run(&self, credential: &Credential, call: &Call) -> io::Result<Ran> {
        credential.clock.0.store(call.now, Ordering::SeqCst);
        *lock(&self.state) = State { call: Some(call.clone()), requests: Vec::new() };
        let request = host::TokenRequestOptions {
            claims: call.claims.clone(),
            tenant_id: call.tenant_id.clone(),
            enable_cae: call.enable_cae,
            min_validity: None,
        };
        let outcome = match &credential.credential {
            Ok(credential) => outcome(self.runtime.block_on(credential.get_token_with(&call.scopes, request)))?,
            Err(message) => refusal(message),
        };
        let requests = std::mem::take(&mut lock(&self.state).requests);
        Ok(Ran { outcome, requests, document: self.document(call.enable_cae)? })
    }

    /// The cache with or without Continuous Access Evaluation.
    ///
    /// # Errors
    /// When there is one that can't be read.
    pub(crate) fn document(&self, enable_cae: bool) -> io::Result<Option<String>> {
        match fs::read_to_string(self.path(enable_cae)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a document as other programs do: a new file replaces the old one.
    ///
    /// # Errors
    /// When the folder can't be written to.
    pub(crate) fn put(&self, enable_cae: bool, document: Option<&str>) -> io::Result<()> {
        let Some(document) = document else {
            return match fs::remove_file(self.path(enable_cae)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        };
        let mut temporary = tempfile::NamedTempFile::new_in(self.home.path())?;
        io::Write::write_all(&mut temporary, document.as_bytes())?;
        temporary.persist(self.path(enable_cae))?;
        Ok(())
    }

    fn path(&self, enable_cae: bool) -> PathBuf {
        let name = if enable_cae { "msal.cache.cae" } else { "msal.cache.nocae" };
        self.home.path().join(".IdentityService").join(name)
    }

    fn transport(&self) -> TransportOptions {
        let mut transport = TransportOptions::default();
        transport.ca_file = Some(self.home.path().join("ca.pem"));
        transport.resolve = hosts().map(|host| (host.to_owned(), self.endpoint.address())).collect();
        transport.most_retries = 0;
        transport
    }
}

impl State {
    fn answer(&mut self, received: &Received) -> token_endpoint::Reply {
        let request = Request {
            url: format!("https://{}{}", received.host, received.path),
            form: received.form.iter().cloned().collect(),
        };
        let reply = self
            .call
            .as_ref()
            .map(|call| call.replies.get(request.field("refresh_token")).unwrap_or(&call.default_reply));
        let reply = match reply {
            Some(reply) if reply.status != 0 => {
                token_endpoint::Reply::bytes(reply.status, &reply.content_type, reply.body.clone())
            }
            _ => token_endpoint::Reply::hang_up(),
        };
        self.requests.push(request);
        reply
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with(builder: Builder, value: Option<&String>, set: impl FnOnce(Builder, String) -> Builder) -> Builder {
    match value {
        Some(value) => set(builder, value.clone()),
        None => builder,
    }
}

fn refusal(message: &str) -> Outcome {
    let (name, message) = ("invalid-argument".to_owned(), message.to_owned());
    Outcome::Error { name, message, oauth: None, candidates: Vec::new() }
}

fn outcome(served: Result<host::IssuedToken, host::Error>) -> io::Result<Outcome> {
    Ok(match crate::component::neutral(served).map_err(io::Error::other)? {
        case::Outcome::Token { token, expires_on, refresh_on, token_type } => {
            Outcome::Token { token, expires_on, refresh_on, token_type: Some(token_type) }
        }
        case::Outcome::Error { kind, reason, message, candidates, oauth } => {
            Outcome::Error { name: reason.unwrap_or(kind), message, oauth, candidates }
        }
    })
}
