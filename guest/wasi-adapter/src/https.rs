use shared_token_cache_entra::agent_session::{AgentSession, PARAMETER};
use shared_token_cache_entra::cloud;
use shared_token_cache_entra::header::may_set;
use wasi::clocks::wall_clock;
use wasi::random::random::get_random_bytes;

use crate::Adapter;
use crate::endpoint::Endpoint;
use crate::environment::settings;
use crate::outgoing::{Failure, Reply, post};
use crate::pause::{self, pause};
use crate::retry::{Retries, is_passing, retry_after};
use crate::settings::Settings as Variables;
use crate::stderr;
use crate::wit::https::{Guest, HttpsError, Response, Settings};

impl Guest for Adapter {
    fn post_form(
        url: String,
        headers: Vec<(String, String)>,
        form: Vec<(String, String)>,
    ) -> Result<Response, HttpsError> {
        let settings = settings().map_err(|why| HttpsError::Denied(why.to_owned()))?;
        let endpoint = Endpoint::parse(&url, settings).map_err(HttpsError::Denied)?;
        if let Some((name, _)) = headers.iter().find(|(name, value)| !may_set(name, value)) {
            return Err(HttpsError::Denied(format!("a component may not set the header field {name:?}")));
        }
        if form.iter().any(|(name, _)| name == PARAMETER) {
            return Err(HttpsError::Denied(format!("a component may not set the field {PARAMETER:?}")));
        }
        let session = settings.agent_session.as_ref().map(|session| (PARAMETER, session.id()));
        let path = with_query(endpoint.path, session);
        let endpoint = Endpoint { path: &path, ..endpoint };
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).extend_pairs(session).finish();
        let mut retries = Retries::new();
        loop {
            let attempt = attempt(settings, &endpoint, &headers, body.as_bytes());
            let (result, retry_after, why) = match attempt {
                Ok(Reply { response, retry_after: asked }) if is_passing(response.status) => {
                    let why = format!("{} answered with status {}", endpoint.authority, response.status);
                    let asked = asked.and_then(|asked| retry_after(&asked, wall_clock::now().seconds));
                    (Ok(response), asked, why)
                }
                Err(Failure::Passing(error)) => {
                    let why = text(&error).to_owned();
                    (Err(error), None, why)
                }
                Ok(Reply { response, .. }) => return Ok(response),
                Err(Failure::Lasting(error)) => return Err(error),
            };
            let Some(time) = retries.pause(retry_after) else { return result };
            stderr::warn(&format!(
                "{why}; the token request is repeated in {} ms",
                pause::nanoseconds(time) / 1_000_000
            ));
            pause(time);
        }
    }

    fn get_settings() -> Settings {
        // Invalid settings cause an error at the first read or request.
        settings().map_or_else(
            |_| Settings {
                default_authority_host: cloud::DEFAULT_HOST.into(),
                disable_multitenant_authentication: false,
                agent_session_key: None,
            },
            |settings| Settings {
                default_authority_host: settings.default_authority.clone(),
                disable_multitenant_authentication: settings.disable_multitenant,
                agent_session_key: settings.agent_session.as_ref().map(AgentSession::cache_key),
            },
        )
    }

    fn close_idle_connections() {
        // The host manages connections.
    }
}

/// The path with a query parameter, if there is one.
fn with_query(path: &str, parameter: Option<(&str, &str)>) -> String {
    let Some((name, value)) = parameter else { return path.to_owned() };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    format!("{path}?{query}")
}

fn attempt(
    settings: &Variables,
    endpoint: &Endpoint<'_>,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Reply, Failure> {
    let request_id = uuid(get_random_bytes(16));
    let own = [
        ("accept", "application/json"),
        ("client-request-id", &request_id),
        ("content-type", "application/x-www-form-urlencoded"),
        ("return-client-request-id", "true"),
        ("user-agent", concat!("shared-token-cache/", env!("CARGO_PKG_VERSION"))),
    ];
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<_> = own.into_iter().chain(headers).collect();
    post(settings, endpoint, &headers, body)
}

fn text(error: &HttpsError) -> &str {
    match error {
        HttpsError::Denied(why)
        | HttpsError::Timeout(why)
        | HttpsError::Unreachable(why)
        | HttpsError::BadResponse(why) => why,
    }
}

/// A random UUID: RFC 9562, section 5.4.
fn uuid(mut bytes: Vec<u8>) -> String {
    for (position, keep, set) in [(6, 0x0f, 0x40), (8, 0x3f, 0x80)] {
        if let Some(byte) = bytes.get_mut(position) {
            *byte = *byte & keep | set;
        }
    }
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    for position in [20, 16, 12, 8] {
        text.insert(position, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_session_is_an_encoded_query_parameter() {
        assert_eq!(with_query("/t/oauth2/v2.0/token", None), "/t/oauth2/v2.0/token");
        let path = with_query("/t/oauth2/v2.0/token", Some((PARAMETER, "a&b=c")));
        assert_eq!(path, "/t/oauth2/v2.0/token?client_session=a%26b%3Dc");
    }

    #[test]
    fn a_random_uuid_has_its_version_and_variant() {
        assert_eq!(uuid(vec![0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid(vec![0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
