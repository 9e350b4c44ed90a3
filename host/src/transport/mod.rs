//! Token requests over HTTPS.

mod client;
mod options;
mod rate;
mod reply;
mod request;
mod resolver;

pub use options::TransportOptions;
pub(crate) use request::{Response, TransportError};

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use shared_token_cache_vault::Secret;
use url::Url;

use crate::clock::Clock;
use crate::error::LimitExceeded;
use crate::policy::Policy;
use rate::Rate;

/// Posts forms, over connections that are kept for the next one.
pub(crate) struct Transport {
    options: TransportOptions,
    extra_roots: Vec<CertificateDer<'static>>,
    policy: Arc<Policy>,
    clock: Arc<dyn Clock>,
    rate: Rate,
    /// Made at the first request, and again after the idle connections were closed.
    client: Mutex<Option<reqwest::Client>>,
}

impl Transport {
    /// Reads the option's CA file, so that a wrong one is noticed before it is needed.
    pub(crate) fn new(options: TransportOptions, policy: Arc<Policy>, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let extra_roots = options.ca_file.as_deref().map(client::certificates).transpose()?.unwrap_or_default();
        let rate = Rate::new(policy.limits().requests_per_minute);
        Ok(Self { options, extra_roots, policy, clock, rate, client: Mutex::new(None) })
    }

    /// Posts a form to a URL that the policy allows. Retries what is worth retrying.
    pub(crate) async fn post_form(
        &self,
        url: Url,
        headers: Vec<(String, String)>,
        form: Vec<(String, Secret)>,
    ) -> Result<Response, TransportError> {
        resolver::check_literal(&self.policy, &url)?;
        let client = self.client()?;
        let largest = self.policy.limits().response_size;
        request::post_form(&client, &self.options, largest, || self.take_leave(), url, headers, form).await
    }

    /// The time of day at a server, from the `Date` of its answer to a request without content (RFC 9110, section 6.6.1). It is
    /// not asked again, and soon given up: only a person waits for it.
    pub(crate) async fn date(&self, url: Url) -> Result<u64, TransportError> {
        resolver::check_literal(&self.policy, &url)?;
        self.take_leave()?;
        request::date(&self.client()?, url).await
    }

    /// Leave for one request, as often as the policy allows in a minute.
    fn take_leave(&self) -> Result<(), TransportError> {
        self.rate.take(self.clock.now()).map_err(|wait| {
            let most = self.policy.limits().requests_per_minute;
            let what = format!("{most} requests were sent in the last minute; the next one can be in {wait} s");
            let limit = LimitExceeded::new("limits.requests-per-minute", &what);
            TransportError::Limit(LimitExceeded { retry_after: Some(Duration::from_secs(wait)), ..limit })
        })
    }

    /// Closes idle connections. A request that is under way keeps its own.
    pub(crate) fn close_idle_connections(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn client(&self) -> Result<reqwest::Client, TransportError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = client::build(&self.options, &self.extra_roots, Arc::clone(&self.policy))?;
        *client = Some(made.clone());
        Ok(made)
    }
}
