//! Token requests over HTTPS.

mod client;
mod options;
mod proxy;
mod rate;
mod reply;
mod request;
mod resolver;
mod trust;

pub use options::TransportOptions;
pub(crate) use request::{Response, TransportError};

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared_token_cache_entra::Secret;
use url::Url;

use crate::clock::Clock;
use crate::error::LimitExceeded;
use proxy::{Leave, Proxies, Route};
use rate::Rate;
use request::Way;
use shared_token_cache_policy::Policy;
use trust::Trust;

/// The connection to an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// The proxy, without user and password, and the variable that names it.
    pub proxy: Option<String>,
    /// Whether `NO_PROXY` excepts the authority from the proxy.
    pub excepted: bool,
    /// The sources of the trusted certificate authorities.
    pub certificates: Vec<String>,
}

/// Posts forms, over connections that are reused.
pub(crate) struct Transport {
    options: TransportOptions,
    trust: Trust,
    policy: Arc<Policy>,
    clock: Arc<dyn Clock>,
    rate: Rate,
    proxies: Proxies,
    /// Created at the first request, and again after idle connections were closed.
    client: Mutex<Option<reqwest::Client>>,
}

impl Transport {
    /// Reads the CA file of the options, so that an invalid file is an error before the first
    /// request.
    pub(crate) fn new(options: TransportOptions, policy: Arc<Policy>, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let trust = Trust::new(options.ca_file.clone())?;
        let rate = Rate::new(policy.limits().requests_per_minute);
        let environment = |name: &str| if options.proxy_from_env { std::env::var_os(name) } else { None };
        let proxies = Proxies::read(environment);
        Ok(Self { options, trust, policy, clock, rate, proxies, client: Mutex::new(None) })
    }

    /// Posts a form to a URL that the policy allows. Retries transient failures.
    pub(crate) async fn post_form(
        &self,
        url: Url,
        headers: Vec<(String, String)>,
        form: Vec<(String, Secret)>,
    ) -> Result<Response, TransportError> {
        let way = self.way(&url)?;
        let _leave = self.proxy_leave(&way).await?;
        let largest = self.policy.limits().response_size;
        let reply =
            request::post_form(&way, &self.options, largest, || self.acquire_request_slot(), url, headers, form).await;
        if let (Ok(_), Some(proxy)) = (&reply, way.proxy) {
            proxy.approve();
        }
        reply
    }

    /// The time of day at a server, from the `Date` of its reply to a request without content (RFC
    /// 9110, section 6.6.1). One try with a short time limit, because only diagnosis uses it.
    pub(crate) async fn date(&self, url: Url) -> Result<Option<u64>, TransportError> {
        let way = self.way(&url)?;
        let _leave = self.proxy_leave(&way).await?;
        self.acquire_request_slot()?;
        request::date(&way, url).await
    }

    /// The connection to an authority, for diagnosis. Sends nothing.
    pub(crate) fn connection(&self, url: &Url) -> Connection {
        let (mut proxy, mut excepted) = (None, false);
        match self.proxies.route(url) {
            Ok(Route::Through(through)) => proxy = Some(format!("{} ({})", through.shown(), through.variable())),
            Ok(Route::Excepted) => excepted = true,
            Ok(Route::Direct) | Err(_) => {}
        }
        Connection { proxy, excepted, certificates: self.trust.sources() }
    }

    /// The client, proxy and trust for a URL. Sends nothing.
    fn way(&self, url: &Url) -> Result<Way<'_>, TransportError> {
        let proxy = match self.proxies.route(url)? {
            Route::Through(proxy) => Some(proxy),
            Route::Direct | Route::Excepted => None,
        };
        resolver::check_literal(&self.policy, url)?;
        Ok(Way { client: self.client()?, proxy, trust: &self.trust, options: &self.options })
    }

    /// Waits for permission to send the proxy's credentials, if there is a proxy.
    async fn proxy_leave(&self, way: &Way<'_>) -> Result<Option<Leave>, TransportError> {
        match way.proxy {
            Some(proxy) => proxy.leave(self.options.connect_timeout).await.map(Some),
            None => Ok(None),
        }
    }

    /// Takes a request from the per-minute rate limit; the error has the time to wait.
    fn acquire_request_slot(&self) -> Result<(), TransportError> {
        self.rate.take(self.clock.now()).map_err(|wait| {
            let most = self.policy.limits().requests_per_minute;
            let what = format!("{most} requests were sent in the last minute; the next one is possible in {wait} s");
            let limit = LimitExceeded::new("limits.requests-per-minute", &what);
            TransportError::Limit(LimitExceeded { retry_after: Some(Duration::from_secs(wait)), ..limit })
        })
    }

    /// Closes idle connections. A request in progress keeps its own.
    pub(crate) fn close_idle_connections(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn client(&self) -> Result<reqwest::Client, TransportError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = client::build(&self.options, &self.trust, &self.proxies, Arc::clone(&self.policy))?;
        *client = Some(made.clone());
        Ok(made)
    }
}
