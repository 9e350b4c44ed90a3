use shared_token_cache_entra::Secret;
use shared_token_cache_entra::agent_session::{AgentSession, PARAMETER};
use shared_token_cache_entra::header::may_set;
use shared_token_cache_vault::{Form, Refused};

use super::border_log::printable;
use crate::error::Error;
use crate::sandbox::BORDER;
use crate::sandbox::State;
use crate::sandbox::wit::https::{Host, HttpsError, Response, Settings};
use crate::transport::TransportError;

/// More than any token request has; a form must not carry a file.
const LARGEST_FORM: usize = 256 * 1024;

/// The overhead of a field besides its name and its value, so that empty fields count.
const BESIDE_A_FIELD: usize = 2;

/// The size limit of a request's URL, in bytes.
const LONGEST_URL: usize = 2 << 10;

/// More than the two header fields of a token request.
const MOST_HEADERS: usize = 16;

/// The number of field names that are logged.
const MOST_FIELDS: usize = 10;

impl Host for State {
    async fn post_form(
        &mut self,
        url: String,
        headers: Vec<(String, String)>,
        form: Vec<(String, String)>,
    ) -> Result<Response, HttpsError> {
        // A token request has six fields. Further names are not logged, and values never are.
        let names: Vec<_> = form.iter().take(MOST_FIELDS).map(|(name, _)| printable(name)).collect();
        let fields = names.join(", ");
        (self.call.request, self.call.reading) = (None, None);
        let outcome = self.post(&url, headers, form).await;
        if let Err(HttpsError::Denied(_)) = &outcome {
            self.denied("https.post-form");
        }
        if !self.may_tell() {
            return outcome;
        }
        let url = printable(&url);
        match &outcome {
            Ok(response) => {
                let (status, bytes) = (response.status, response.body.len());
                tracing::debug!(target: BORDER, "https.post-form {url} ({fields}) → status {status}, {bytes} bytes");
            }
            Err(HttpsError::Denied(why)) => {
                tracing::debug!(target: BORDER, "https.post-form ({fields}) → denied: {why}")
            }
            Err(HttpsError::Timeout(why) | HttpsError::Unreachable(why) | HttpsError::BadResponse(why)) => {
                tracing::debug!(target: BORDER, "https.post-form {url} ({fields}) → {why}");
            }
        }
        outcome
    }

    fn get_settings(&mut self) -> Settings {
        let settings = &self.context.settings;
        Settings {
            default_authority_host: settings.default_authority_host.clone(),
            disable_multitenant_authentication: settings.disable_multitenant_authentication,
            agent_session_key: settings.agent_session.as_ref().map(AgentSession::cache_key),
        }
    }

    fn close_idle_connections(&mut self) {
        if self.may_tell() {
            tracing::debug!(target: BORDER, "https.close-idle-connections");
        }
        self.context.transport.close_idle_connections();
    }
}

impl State {
    async fn post(
        &mut self,
        url: &str,
        headers: Vec<(String, String)>,
        form: Vec<(String, String)>,
    ) -> Result<Response, HttpsError> {
        if url.len() > LONGEST_URL || headers.len() > MOST_HEADERS {
            let why = format!("a request may have {LONGEST_URL} bytes of URL and {MOST_HEADERS} header fields");
            return Err(self.refuse(Error::denied(why)));
        }
        let mut url = self.context.policy.token_endpoint(url).map_err(|denied| self.refuse(denied.into()))?;
        if let Some((name, _)) = headers.iter().find(|(name, value)| !may_set(name, value)) {
            let why = format!("a component may not set the header field {:?}", printable(name));
            return Err(self.refuse(Error::denied(why)));
        }
        let size: usize = form.iter().map(|(name, value)| name.len() + value.len() + BESIDE_A_FIELD).sum();
        if size > LARGEST_FORM {
            let why = format!("a form may have {LARGEST_FORM} bytes, and this one has {size}");
            return Err(self.refuse(Error::denied(why)));
        }
        let tenant = url.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default();
        let form =
            Form { authority_host: url.host_str().unwrap_or_default(), tenant, headers: &headers, fields: &form };
        let open = self.session.open_form(&form).map_err(|refused| match refused {
            Refused::Denied(denied) => self.refuse(denied.into()),
            refused => {
                let why = self.call.denials.refused(&refused);
                self.refuse(Error::denied(why))
            }
        })?;
        let (mut fields, redemption) = (open.fields, open.redemption);
        // Added here and not by the component, which could leave it out. The vault accepts no such
        // field from it.
        if let Some(session) = &self.context.settings.agent_session {
            url.query_pairs_mut().append_pair(PARAMETER, session.id());
            fields.push((PARAMETER.to_owned(), Secret::new(session.id().to_owned())));
        }
        match self.context.transport.post_form(url, headers, fields).await {
            Ok(response) => {
                self.call.retry_after = response.retry_after;
                let now = self.context.clock.now();
                let body = self.session.seal_reply(redemption, response.status, response.body, now);
                Ok(Response { status: response.status, body })
            }
            Err(error @ TransportError::Timeout { .. }) => Err(HttpsError::Timeout(error.to_string())),
            Err(error @ TransportError::Unreachable { .. }) => Err(HttpsError::Unreachable(error.to_string())),
            // The component may have a cached token to fall back on. If it has none, the call ends
            // with this error, which has a hint.
            Err(error) => Err(self.refuse(error.into())),
        }
    }
}

impl State {
    /// Keeps the typed error for the caller; returns its text for the component.
    fn refuse(&mut self, error: Error) -> HttpsError {
        let text = error.to_string();
        let is_denied = matches!(error, Error::Denied(_));
        self.call.request = Some(error);
        if is_denied { HttpsError::Denied(text) } else { HttpsError::Unreachable(text) }
    }
}
