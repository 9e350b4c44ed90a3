use shared_token_cache_entra::PAGE;
use shared_token_cache_vault::{Form, Refused};

use super::BORDER;
use super::told::{LONGEST_NAME, printable};
use crate::plugin::State;
use crate::plugin::wit::https::{Host, HttpsError, Response, Settings};
use crate::policy::Denied;
use crate::transport::TransportError;

/// The header fields that a component may set. All others are the host's.
const ALLOWED_HEADERS: &[&str] = &["x-anchormailbox", "x-client-sku", "x-client-ver"];

/// More than any token request has; a form is not a way to send a file.
const LARGEST_FORM: usize = 256 * 1024;

/// So many names of a form's fields are in the log.
const MOST_FIELDS: usize = 10;

impl Host for State {
    async fn post_form(
        &mut self,
        url: String,
        headers: Vec<(String, String)>,
        form: Vec<(String, String)>,
    ) -> Result<Response, HttpsError> {
        // A request has six fields, and what it has more is told as little as what they hold.
        let names: Vec<_> = form.iter().take(MOST_FIELDS).map(|(name, _)| printable(name, LONGEST_NAME)).collect();
        let fields = names.join(", ");
        let outcome = self.post(&url, headers, form).await;
        if let Err(HttpsError::Denied(_)) = &outcome {
            self.denied("https.post-form");
        }
        if !self.may_tell() {
            return outcome;
        }
        let url = printable(&url, LONGEST_NAME);
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
        let url = self.context.policy.token_endpoint(url).map_err(|denied| self.note(denied))?;
        if let Some((name, _)) = headers.iter().find(|(name, value)| !may_set(name, value)) {
            return Err(HttpsError::Denied(format!("a component may not set the header field {name:?}")));
        }
        let size: usize = form.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > LARGEST_FORM {
            return Err(HttpsError::Denied(format!("a form may have {LARGEST_FORM} bytes, and this one has {size}")));
        }
        let tenant = url.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default();
        let form =
            Form { authority_host: url.host_str().unwrap_or_default(), tenant, headers: &headers, fields: &form };
        let open = self.session.open_form(&form).map_err(|refused| match refused {
            Refused::Denied(denied) => self.note(denied),
            refused => HttpsError::Denied(self.denials.refused(&refused)),
        })?;
        match self.context.transport.post_form(url, headers, open.fields).await {
            // The component gets `null` in place of a page, so it can't tell what answered.
            Ok(response) if response.is_a_page() => {
                Err(HttpsError::Unreachable(format!("an answer with status {} is no JSON: {PAGE}", response.status)))
            }
            Ok(response) => {
                self.retry_after = response.retry_after;
                let now = self.context.clock.now();
                let body = self.session.seal_reply(open.redemption, response.status, response.body, now);
                Ok(Response { status: response.status, body })
            }
            Err(error @ TransportError::Timeout { .. }) => Err(HttpsError::Timeout(error.to_string())),
            Err(TransportError::Denied(denied)) => Err(self.note(denied)),
            // The component may have a cached token to fall back on. Where it has none, the call ends with this.
            Err(TransportError::Limit(limit)) => {
                let why = limit.to_string();
                self.refused = Some(limit);
                Err(HttpsError::Unreachable(why))
            }
            Err(error @ (TransportError::Setup(_) | TransportError::Unreachable { .. })) => {
                Err(HttpsError::Unreachable(error.to_string()))
            }
        }
    }
}

impl State {
    /// The component gets the text of a denial; the call's error is to say what was denied, and not what the component makes of it.
    fn note(&mut self, denied: Denied) -> HttpsError {
        let told = HttpsError::Denied(denied.to_string());
        self.denied = Some(denied);
        told
    }
}

fn may_set(name: &str, value: &str) -> bool {
    ALLOWED_HEADERS.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
        && value.len() <= 512
        && value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}
