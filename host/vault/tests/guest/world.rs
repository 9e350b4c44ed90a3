//! The surroundings of the component in a case: documents in memory, a fixed clock, scripted
//! replies, and perhaps a vault.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::vec::IntoIter;

use serde_json::Value;
use shared_token_cache_core::{
    CacheDocument, Credential, FormReply, FormRequest, HttpsError, LogLevel, Platform, ReadError, ReadOutcome,
    Settings, TokenRequestOptions, WriteError,
};
use shared_token_cache_vault::{Form, NotUtf8, Request, Session, Vault, contains_handle};

use crate::case::{agent_session_key, authority, collect, credential, options, text};

/// The outcome of a case.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) outcomes: Vec<String>,
    pub(crate) forms: Vec<Vec<(String, String)>>,
    pub(crate) documents: BTreeMap<String, String>,
    /// Requests that the vault refused.
    pub(crate) refused: Vec<String>,
}

pub(crate) struct World {
    case: Value,
    folder: std::path::PathBuf,
    now: u64,
    documents: BTreeMap<String, (u64, Vec<u8>)>,
    traffic: IntoIter<Value>,
    session: Option<Session>,
    secrets: Vec<String>,
    trace: Trace,
}

impl World {
    pub(crate) fn new(folder: &Path, sealed: bool) -> Self {
        let json = |name: &str| fs::read(folder.join(name)).ok().map(|bytes| serde_json::from_slice(&bytes).unwrap());
        let case: Value = json("case.json").unwrap();
        let traffic: Value = json("traffic.json").unwrap_or_else(|| Value::Array(Vec::new()));
        let session = sealed.then(|| Vault::new(credential(&case), 512 << 20).unwrap().session());
        let mut world = Self {
            folder: folder.to_owned(),
            now: 0,
            documents: BTreeMap::new(),
            traffic: traffic.as_array().unwrap().clone().into_iter(),
            session,
            secrets: Vec::new(),
            trace: Trace::default(),
            case,
        };
        for entry in fs::read_dir(folder.join("before")).into_iter().flatten() {
            let entry = entry.unwrap();
            world.put(&entry.file_name().to_string_lossy(), fs::read(entry.path()).unwrap());
        }
        let generated = world.case["generate"].as_object().cloned().unwrap_or_default();
        for (name, parts) in generated {
            let times = usize::try_from(parts["times"].as_u64().unwrap()).unwrap();
            let part = |name: &str| parts[name].as_str().unwrap();
            let content = format!("{}{}{}", part("prefix"), part("repeat").repeat(times), part("suffix"));
            world.put(&name, content.into_bytes());
        }
        for exchange in traffic.as_array().unwrap() {
            collect(&exchange["reply"], &mut world.secrets);
        }
        world
    }

    pub(crate) fn run(mut self) -> Trace {
        let mut credential = Credential::new(options(&self.case["options"]));
        let calls = self.case["calls"].as_array().unwrap().clone();
        let first = self.case["now"].as_u64().unwrap();
        for call in calls {
            self.now = call["now"].as_u64().unwrap_or(first);
            for (name, file) in call["replaced_before"].as_object().into_iter().flatten() {
                self.put(name, fs::read(self.folder.join(file.as_str().unwrap())).unwrap());
            }
            let outcome = match &mut credential {
                Ok(credential) => self.call(credential, &call),
                Err(error) => format!("{error:?}"),
            };
            self.trace.outcomes.push(outcome);
        }
        let text = |(_, content): (u64, Vec<u8>)| String::from_utf8_lossy(&content).into_owned();
        self.trace.documents = self.documents.into_iter().map(|(name, stored)| (name, text(stored))).collect();
        self.trace
    }

    fn call(&mut self, credential: &mut Credential, call: &Value) -> String {
        if call["close_before"].as_bool() == Some(true) {
            credential.close(self);
        }
        let scopes: Vec<String> = serde_json::from_value(call["scopes"].clone()).unwrap();
        let request = TokenRequestOptions {
            claims: text(&call["claims"]),
            tenant_id: text(&call["tenant_id"]),
            enable_cae: call["enable_cae"].as_bool() == Some(true),
            min_validity: call["min_validity"].as_u64().map(|seconds| seconds.try_into().unwrap()),
        };
        if let Some(session) = &mut self.session {
            session
                .begin(&Request {
                    scopes: &scopes,
                    tenant_id: request.tenant_id.as_deref(),
                    claims: request.claims.as_deref(),
                    enable_cae: request.enable_cae,
                    now: self.now,
                })
                .unwrap();
        }
        match credential.get_token(self, &scopes, &request) {
            Ok(token) => {
                let (mut secret, now) = (token.token.expose().to_owned(), self.now);
                if let Some(session) = &self.session {
                    match session.open_result(&secret, now) {
                        Ok(open) => {
                            assert!(token.expires_on <= open.expires_on, "{} {}", token.expires_on, open.expires_on);
                            secret = open.token.expose().to_owned();
                        }
                        Err(refused) => self.trace.refused.push(refused.to_string()),
                    }
                }
                format!("token {secret} {} {:?} {}", token.expires_on, token.refresh_on, token.token_type)
            }
            Err(error) => format!("{error:?}"),
        }
    }

    /// Another program writes.
    fn put(&mut self, name: &str, content: Vec<u8>) {
        if let Ok(document) = serde_json::from_slice(&content) {
            collect(&document, &mut self.secrets);
        }
        let version = self.documents.get(name).map_or(1, |(version, _)| version + 1);
        self.documents.insert(name.to_owned(), (version, content));
    }

    fn assert_no_secret(&self, text: &str) {
        for secret in &self.secrets {
            // Some cases name an entry like its secret.
            let as_value = [format!(":\"{secret}\""), format!(": \"{secret}\"")];
            assert!(!as_value.iter().any(|value| text.contains(value)), "{secret} is in {text}");
        }
    }
}

impl Platform for World {
    fn read_cache(&mut self, name: &str, known: Option<&str>) -> Result<ReadOutcome, ReadError> {
        let (version, content) = self.documents.get(name).ok_or_else(|| ReadError::NotFound(name.to_owned()))?;
        let (version, content) = (version.to_string(), content.clone());
        if known == Some(version.as_str()) {
            if let Some(session) = &mut self.session {
                session.unchanged(name, &version);
            }
            return Ok(ReadOutcome::Unchanged);
        }
        let content = match &mut self.session {
            Some(session) => {
                let vault = session.vault().clone();
                let sealed = session.hold(vault.seal_document(name, &version, content).unwrap());
                let not_utf8 = |NotUtf8 { line, column }| ReadError::NotUtf8 { line, column };
                let sealed = sealed.map_err(not_utf8)?;
                self.assert_no_secret(&sealed);
                sealed
            }
            None => CacheDocument::text(content)?,
        };
        Ok(ReadOutcome::Document(CacheDocument { version, content, unencrypted: Some("in a test".into()) }))
    }

    fn replace_cache(&mut self, name: &str, expected: &str, document: &str) -> Result<String, WriteError> {
        let Some((version, content)) = self.documents.get_mut(name) else { return Err(WriteError::Conflict) };
        if version.to_string() != expected {
            return Err(WriteError::Conflict);
        }
        let Some(session) = &mut self.session else {
            (*version, *content) = (*version + 1, document.as_bytes().to_vec());
            return Ok(version.to_string());
        };
        let opened = session.try_to_write().and_then(|()| session.open_document(name, expected, document));
        match opened {
            Ok(open) => {
                (*version, *content) = (*version + 1, open.content().to_vec());
                session.replaced(open, &version.to_string());
                Ok(version.to_string())
            }
            Err(refused) => {
                self.trace.refused.push(refused.to_string());
                Err(WriteError::Denied(refused.to_string()))
            }
        }
    }

    fn shared_cache_supported(&mut self) -> bool {
        true
    }

    fn post_form(&mut self, request: &FormRequest) -> Result<FormReply, HttpsError> {
        let mut form: Vec<(String, String)> =
            request.form.iter().map(|(name, value)| ((*name).to_owned(), value.expose().to_owned())).collect();
        let mut redemption = None;
        if let Some(session) = &self.session {
            let (host, rest) = request.url.strip_prefix("https://").unwrap().split_once('/').unwrap();
            let headers: Vec<_> =
                request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            let open = session.open_form(&Form {
                authority_host: host.split(':').next().unwrap(),
                tenant: rest.split('/').next().unwrap(),
                headers: &headers,
                fields: &form,
            });
            match open {
                Ok(open) => {
                    form = open.fields.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect();
                    redemption = Some(open.redemption);
                }
                Err(refused) => {
                    self.trace.refused.push(refused.to_string());
                    return Err(HttpsError::Denied(refused.to_string()));
                }
            }
        }
        assert!(!form.iter().any(|(_, value)| contains_handle(value)));
        self.trace.forms.push(form);
        let reply = self.traffic.next().unwrap()["reply"].take();
        let body = match (&reply["body"], text(&reply["text"])) {
            (_, Some(text)) => text,
            (Value::Null, None) => return Err(HttpsError::Unreachable("the connection was closed".into())),
            (body, None) => body.to_string(),
        };
        let status = u16::try_from(reply["status"].as_u64().unwrap()).unwrap();
        let body = match (&mut self.session, redemption) {
            (Some(session), Some(redemption)) => {
                let sealed = session.seal_reply(redemption, status, body.into_bytes(), self.now);
                self.assert_no_secret(&sealed);
                sealed
            }
            _ => body,
        };
        Ok(FormReply { status, body })
    }

    fn settings(&mut self) -> Settings {
        let settings = &self.case["settings"];
        Settings {
            default_authority_host: authority(&self.case),
            disable_multitenant_authentication: settings["disable_multitenant_authentication"].as_bool() == Some(true),
            agent_session_key: agent_session_key(&self.case),
        }
    }

    fn close_idle_connections(&mut self) {}

    fn now(&mut self) -> u64 {
        self.now
    }

    fn log(&mut self, _: LogLevel, message: &str) {
        self.assert_no_secret(message);
    }
}
