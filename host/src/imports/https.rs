use shared_token_cache_vault::Form;

use super::BORDER;
use crate::plugin::State;
use crate::plugin::wit::https::{Host, HttpsError, Response, Settings};
use crate::transport::TransportError;

/// The header fields that a component may set. All others are the host's.
const ALLOWED_HEADERS: &[&str] = &["x-anchormailbox", "x-client-sku", "x-client-ver"];

/// More than any token request has; a form is not a way to send a file.
const LARGEST_FORM: usize = 256 * 1024;

impl Host for State {
    async fn post_form(
        &mut self,
        url: String,
        headers: Vec<(String, String)>,
        form: Vec<(String, String)>,
    ) -> Result<Response, HttpsError> {
        let fields = form.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let outcome = self.post(&url, headers, form).await;
        if let Err(HttpsError::Denied(_)) = &outcome {
            self.denied("https.post-form");
        }
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
        tracing::debug!(target: BORDER, "https.close-idle-connections");
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
        let url = self.context.policy.token_endpoint(url).map_err(|denied| HttpsError::Denied(denied.to_string()))?;
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
        let open = self.session.open_form(&form).map_err(|refused| HttpsError::Denied(self.denials.refused(&refused)))?;
        match self.context.transport.post_form(url, headers, open.fields).await {
            Ok(response) => {
                let now = self.context.clock.now();
                let body = self.session.seal_reply(open.redemption, response.body, now);
                Ok(Response { status: response.status, body })
            }
            Err(error @ TransportError::Timeout { .. }) => Err(HttpsError::Timeout(error.to_string())),
            Err(error @ TransportError::TooLarge { .. }) => Err(HttpsError::BadResponse(error.to_string())),
            Err(error) => Err(HttpsError::Unreachable(error.to_string())),
        }
    }
}

fn may_set(name: &str, value: &str) -> bool {
    ALLOWED_HEADERS.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
        && value.len() <= 512
        && value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}
