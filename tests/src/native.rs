//! Runs a case on the core itself, with documents in memory, a fixed clock, and the case's replies.

use std::collections::BTreeMap;

use shared_token_cache_core as cache_core;
use shared_token_cache_core::{
    CacheDocument, Credential, Error, FormReply, FormRequest, HttpsError, LogLevel, Platform, ReadError, ReadOutcome,
    TokenRequestOptions, WriteError,
};
use shared_token_cache_entra::agent_session::{AgentSession, PARAMETER};

use crate::case::{
    Call, Candidate, Case, Documents, Exchange, OAuth, Options, Outcome, Recorded, ScriptedReply, Settings,
};

/// Runs `case`.
///
/// # Errors
/// All differences from the case.
pub fn run(case: &Case) -> Result<(), String> {
    let mut world = World::new(case);
    let mut credential = Credential::new(options(&case.options));
    for call in &case.calls {
        world.now = call.now;
        world.replace(&call.replaced_before);
        let outcome = match &mut credential {
            Ok(credential) => world.get_token(credential, call),
            Err(error) => neutral(Err(error.clone())),
        };
        world.recorded.outcomes.push(outcome);
    }
    let closed = case.calls.iter().filter(|call| call.close_before).count();
    if world.closed != closed {
        world.recorded.problems.push(format!("idle connections were closed {} times, not {closed}", world.closed));
    }
    let problems = case.problems(&world.finish());
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// The world of one case.
struct World {
    settings: Settings,
    now: u64,
    documents: BTreeMap<String, Stored>,
    traffic: std::vec::IntoIter<Exchange>,
    closed: usize,
    recorded: Recorded,
}

struct Stored {
    content: Vec<u8>,
    version: u64,
}

impl World {
    fn new(case: &Case) -> Self {
        let mut world = Self {
            settings: case.settings.clone(),
            now: 0,
            documents: BTreeMap::new(),
            traffic: case.traffic.clone().into_iter(),
            closed: 0,
            recorded: Recorded::default(),
        };
        world.replace(&case.before);
        world
    }

    fn get_token(&mut self, credential: &mut Credential, call: &Call) -> Outcome {
        if call.close_before {
            credential.close(self);
        }
        let request = TokenRequestOptions {
            claims: call.claims.clone(),
            tenant_id: call.tenant_id.clone(),
            enable_cae: call.enable_cae,
            min_validity: call.min_validity,
        };
        let token = credential.get_token(self, &call.scopes, &request);
        self.recorded.said.push(format!("{credential:?} {token:?}"));
        neutral(token)
    }

    /// Another program writes.
    fn replace(&mut self, documents: &Documents) {
        for (name, content) in documents {
            let version = self.documents.get(name).map_or(1, |stored| stored.version + 1);
            self.documents.insert(name.clone(), Stored { content: content.clone(), version });
        }
    }

    fn finish(mut self) -> Recorded {
        for exchange in self.traffic {
            self.recorded.problems.push(format!("the request to {} was not made", exchange.request.url));
        }
        self.recorded.documents = self.documents.into_iter().map(|(name, stored)| (name, stored.content)).collect();
        self.recorded
    }
}

impl Platform for World {
    fn read_cache(&mut self, name: &str, known: Option<&str>) -> Result<ReadOutcome, ReadError> {
        let stored = self.documents.get(name).ok_or_else(|| ReadError::NotFound(format!("document {name}")))?;
        let version = stored.version.to_string();
        if known == Some(version.as_str()) {
            return Ok(ReadOutcome::Unchanged);
        }
        // The cases are plain files on every platform.
        Ok(ReadOutcome::Document(CacheDocument {
            version,
            content: CacheDocument::text(stored.content.clone())?,
            unencrypted: Some("in a test".into()),
        }))
    }

    fn replace_cache(&mut self, name: &str, expected: &str, document: &str) -> Result<String, WriteError> {
        self.recorded.written.push(name.to_owned());
        match self.documents.get_mut(name) {
            Some(stored) if stored.version.to_string() == expected => {
                *stored = Stored { content: document.as_bytes().to_vec(), version: stored.version + 1 };
                Ok(stored.version.to_string())
            }
            _ => Err(WriteError::Conflict),
        }
    }

    fn shared_cache_supported(&mut self) -> bool {
        true
    }

    fn post_form(&mut self, request: &FormRequest) -> Result<FormReply, HttpsError> {
        self.recorded.said.push(format!("{request:?}"));
        let mut form: Vec<_> =
            request.form.iter().map(|(name, value)| (name.to_string(), value.expose().to_owned())).collect();
        let mut url = request.url.clone();
        // A host adds its agent session to each request.
        if let Some(id) = &self.settings.agent_session {
            form.push((PARAMETER.to_owned(), id.clone()));
            url.push_str(&format!("?{PARAMETER}={id}"));
        }
        let Some(exchange) = self.traffic.next() else {
            self.recorded.problems.push(format!("one request too many: {url} {form:?}"));
            return Err(HttpsError::Unreachable("the case has no more replies".into()));
        };
        let header = |name: &str| {
            let field = request.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            field.map(|(_, value)| value.as_str())
        };
        self.recorded.problems.extend(exchange.request.problems(&url, &form, header));
        match exchange.reply {
            ScriptedReply::Response { status, body } => {
                Ok(FormReply { status, body: String::from_utf8_lossy(&body).into_owned() })
            }
            ScriptedReply::Unreachable => Err(HttpsError::Unreachable("the connection was closed".into())),
        }
    }

    fn settings(&mut self) -> cache_core::Settings {
        cache_core::Settings {
            default_authority_host: self.settings.default_authority_host.clone(),
            disable_multitenant_authentication: self.settings.disable_multitenant_authentication,
            agent_session_key: agent_session(&self.settings).map(|session| session.cache_key()),
        }
    }

    fn close_idle_connections(&mut self) {
        self.closed += 1;
    }

    fn now(&mut self) -> u64 {
        self.now
    }

    fn log(&mut self, _: LogLevel, message: &str) {
        self.recorded.said.push(message.to_owned());
    }
}

/// The agent session of a case, which has the id of one.
fn agent_session(settings: &Settings) -> Option<AgentSession> {
    settings.agent_session.as_deref().and_then(|id| id.parse().ok())
}

fn options(options: &Options) -> cache_core::Options {
    let Options {
        username,
        authority,
        tenant_id,
        client_id,
        authentication_record,
        cache_persistence_options,
        additionally_allowed_tenants,
        enable_guest_tenant_authentication,
    } = options.clone();
    cache_core::Options {
        username,
        authority,
        tenant_id,
        client_id,
        authentication_record: authentication_record.map(|record| record.to_string()),
        cache_persistence_options: cache_persistence_options.map(|cache| cache_core::CachePersistenceOptions {
            name: cache.name,
            allow_unencrypted_storage: cache.allow_unencrypted_storage,
        }),
        additionally_allowed_tenants,
        enable_guest_tenant_authentication,
    }
}

fn neutral(outcome: Result<cache_core::AccessToken, Error>) -> Outcome {
    let error = |kind: &str, message| Outcome::Error {
        kind: kind.to_owned(),
        reason: None,
        message,
        candidates: Vec::new(),
        oauth: None,
    };
    match outcome {
        Ok(token) => Outcome::Token {
            token: token.token.expose().to_owned(),
            expires_on: token.expires_on,
            refresh_on: token.refresh_on,
            token_type: token.token_type,
        },
        Err(Error::InvalidArgument(message)) => error("invalid-argument", message),
        Err(Error::Denied(message)) => error("denied", message),
        Err(Error::Unreachable(message)) => error("unreachable", message),
        Err(Error::CredentialUnavailable(unavailable)) => Outcome::Error {
            kind: "credential-unavailable".into(),
            reason: Some(unavailable_reason(unavailable.reason).into()),
            message: unavailable.message,
            candidates: unavailable.candidates.into_iter().map(candidate).collect(),
            oauth: None,
        },
        Err(Error::ClientAuthentication(failure)) => Outcome::Error {
            kind: "client-authentication".into(),
            reason: Some(failure_reason(failure.reason).into()),
            message: failure.message,
            candidates: Vec::new(),
            oauth: failure.oauth.map(|error| oauth(*error)),
        },
    }
}

fn candidate(account: cache_core::Account) -> Candidate {
    Candidate { username: account.username, home_tenant_id: account.home_tenant_id }
}

fn oauth(error: cache_core::OAuthError) -> OAuth {
    let cache_core::OAuthError { code, suberror, description, error_codes, claims, correlation_id } = error;
    OAuth { code, suberror, description, error_codes, claims, correlation_id }
}

fn unavailable_reason(reason: cache_core::UnavailableReason) -> &'static str {
    match reason {
        cache_core::UnavailableReason::CacheUnavailable => "cache-unavailable",
        cache_core::UnavailableReason::CacheCorrupt => "cache-corrupt",
        cache_core::UnavailableReason::UnsupportedPlatform => "unsupported-platform",
        cache_core::UnavailableReason::NoAccounts => "no-accounts",
        cache_core::UnavailableReason::NoMatchingAccount => "no-matching-account",
        cache_core::UnavailableReason::MultipleAccounts => "multiple-accounts",
        cache_core::UnavailableReason::MultipleMatchingAccounts => "multiple-matching-accounts",
        cache_core::UnavailableReason::NoToken => "no-token",
    }
}

fn failure_reason(reason: cache_core::AuthenticationFailureReason) -> &'static str {
    match reason {
        cache_core::AuthenticationFailureReason::TenantNotAllowed => "tenant-not-allowed",
        cache_core::AuthenticationFailureReason::OAuthError => "oauth-error",
        cache_core::AuthenticationFailureReason::UnexpectedResponse => "unexpected-response",
    }
}

#[cfg(test)]
mod tests;
