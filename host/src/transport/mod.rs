//! Token requests over HTTPS.

mod client;
mod options;
mod request;

pub use options::TransportOptions;
pub(crate) use request::{Response, TransportError};

use std::sync::{Mutex, PoisonError};

use rustls::pki_types::CertificateDer;
use shared_token_cache_vault::Secret;
use url::Url;

/// Posts forms, over connections that are kept for the next one.
#[derive(Debug)]
pub(crate) struct Transport {
    options: TransportOptions,
    extra_roots: Vec<CertificateDer<'static>>,
    largest_response: usize,
    /// Made at the first request, and again after the idle connections were closed.
    client: Mutex<Option<reqwest::Client>>,
}

impl Transport {
    /// Reads the option's CA file, so that a wrong one is noticed before it is needed.
    pub(crate) fn new(options: TransportOptions, largest_response: usize) -> Result<Self, String> {
        let extra_roots = options.ca_file.as_deref().map(client::certificates).transpose()?.unwrap_or_default();
        Ok(Self { options, extra_roots, largest_response, client: Mutex::new(None) })
    }

    /// Posts a form to a URL that the policy allows. Retries what is worth retrying.
    pub(crate) async fn post_form(
        &self,
        url: Url,
        headers: Vec<(String, String)>,
        form: Vec<(String, Secret)>,
    ) -> Result<Response, TransportError> {
        let client = self.client()?;
        request::post_form(&client, &self.options, self.largest_response, url, headers, form).await
    }

    /// The time of day at a server, from the `Date` of its answer to a request without content (RFC 9110, section 6.6.1). It is
    /// not asked again, and soon given up: only a person waits for it.
    pub(crate) async fn date(&self, url: Url) -> Result<u64, TransportError> {
        request::date(&self.client()?, url).await
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
        let made = client::build(&self.options, &self.extra_roots)?;
        *client = Some(made.clone());
        Ok(made)
    }
}
