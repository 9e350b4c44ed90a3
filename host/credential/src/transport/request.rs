use std::time::{Duration, SystemTime};

use backon::{ExponentialBuilder, Retryable as _};
use bytes::Bytes;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use shared_token_cache_entra::Class;
use shared_token_cache_entra::Secret;
use url::Url;
use zeroize::Zeroizing;

use super::proxy::{Answer, Means, Proxy};
use super::resolver::Unresolved;
use super::trust::Trust;
use super::{TransportOptions, reply};
use crate::error::{Error, LimitExceeded, Unreachable};
use shared_token_cache_policy::Denied;

/// A response of any status.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// It may contain tokens, and is zeroized on drop.
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// The pause that the authority asks for (RFC 9110, section 10.2.3).
    pub(crate) retry_after: Option<Duration>,
    /// The class of the error, if the response is one.
    class: Option<Class>,
}

impl Response {
    /// Whether to retry the same request: the authority is overloaded, or asks for a pause.
    fn is_worth_repeating(&self) -> bool {
        self.class.is_some_and(|class| class.is_worth_repeating() || (class.may_pass() && self.retry_after.is_some()))
    }
}

/// The reason why there is no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TransportError {
    /// The configuration of this machine prevents any request.
    #[error("{what}; {hint}")]
    Setup { what: String, hint: String },
    /// The proxy refuses the credentials, or requires some.
    #[error("{what}; {hint}")]
    ProxyRefused { what: String, hint: String, pause: Duration },
    /// The proxy does not open a tunnel, for another reason.
    #[error("{what}; {hint}")]
    Proxy { what: String, hint: String },
    /// The server's certificate is not trusted.
    #[error("{what}; {hint}")]
    Certificate { what: String, hint: String },
    #[error("no reply in time from {host}: {why}")]
    Timeout { host: String, why: String },
    #[error("cannot reach {host}: {why}")]
    Unreachable { host: String, why: String },
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Limit(LimitExceeded),
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        let (message, hint, retry_after) = match error {
            TransportError::Denied(denied) => return denied.into(),
            TransportError::Limit(limit) => return Self::Limit(limit),
            TransportError::Setup { what, hint }
            | TransportError::Certificate { what, hint }
            | TransportError::Proxy { what, hint } => (what, Some(hint), None),
            TransportError::ProxyRefused { what, hint, pause } => (what, Some(hint), Some(pause)),
            error => (error.to_string(), None, None),
        };
        Self::Unreachable(Unreachable { message, hint, retry_after })
    }
}

/// The client, proxy and trust for a request.
pub(super) struct Way<'w> {
    pub(super) client: reqwest::Client,
    /// The proxy, if there is one.
    pub(super) proxy: Option<&'w Proxy>,
    /// The trusted certificates.
    pub(super) trust: &'w Trust,
    pub(super) options: &'w TransportOptions,
}

impl Way<'_> {
    /// Requests an unused tunnel from the proxy, to read its reply.
    async fn ask(&self, proxy: &Proxy, url: &Url) -> Result<Option<Answer>, TransportError> {
        let means = Means {
            tls: if proxy.wants_tls() { Some(self.trust.tls()?) } else { None },
            resolve: self.options.resolve.clone(),
            longest: self.options.connect_timeout,
        };
        let (proxy, url) = (proxy.clone(), url.clone());
        // `None`: the proxy could not be reached.
        Ok(tokio::task::spawn_blocking(move || proxy.ask(&url, &means).ok()).await.ok().flatten())
    }

    /// Tries credentials that the proxy has not accepted yet once, on a connection whose reply can
    /// be read: the HTTP client does not distinguish a refusal that it cannot parse from other
    /// failures. A directory locks an account after a few wrong passwords.
    async fn try_credentials(&self, url: &Url) -> Result<(), Failed> {
        let Some(proxy) = self.proxy else { return Ok(()) };
        if !proxy.is_on_trial().map_err(Failed::Final)? {
            return Ok(());
        }
        match self.ask(proxy, url).await.map_err(Failed::Final)? {
            Some(Answer::Status(200)) => proxy.approve(),
            Some(answer) => return Err(failed(proxy.failure(answer, url.host_str().unwrap_or_default()))),
            // The client meets the same failure, and reports it.
            None => {}
        }
        Ok(())
    }
}

fn failed((error, is_final): (TransportError, bool)) -> Failed {
    if is_final { Failed::Final(error) } else { Failed::Network(error) }
}

/// A failed try, and whether to retry it.
enum Failed {
    Network(TransportError),
    Busy(Response),
    Final(TransportError),
}

impl Failed {
    fn into_error(self) -> TransportError {
        match self {
            Self::Network(error) | Self::Final(error) => error,
            Self::Busy(response) => TransportError::Unreachable {
                host: "the authority".to_owned(),
                why: format!("status {}", response.status),
            },
        }
    }
}

pub(super) async fn post_form(
    way: &Way<'_>,
    options: &TransportOptions,
    largest: usize,
    acquire_request_slot: impl Fn() -> Result<(), TransportError>,
    url: Url,
    headers: Vec<(String, String)>,
    form: Vec<(String, Secret)>,
) -> Result<Response, TransportError> {
    let backoff = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(options.retry_delay)
        .with_max_times(options.most_retries);
    let form = urlencoded(form.iter().map(|(name, value)| (name.as_str(), value.expose())));
    let mut repeats = 0;
    let post = || async {
        acquire_request_slot().map_err(Failed::Final)?;
        let mut request = way
            .client
            .post(url.clone())
            .header("client-request-id", uuid::Uuid::new_v4().to_string())
            .header("return-client-request-id", "true")
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.clone());
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        once(way, &url, request, largest).await
    };
    let result = post
        .retry(backoff)
        .when(|failed| !matches!(failed, Failed::Final(_)))
        .adjust(|failed, pause| match (failed, pause) {
            (Failed::Busy(Response { retry_after: Some(asked), .. }), Some(pause)) => {
                (*asked <= options.longest_retry_after).then(|| pause.max(*asked))
            }
            (_, pause) => pause,
        })
        .notify(|failed, pause| {
            let why = match failed {
                Failed::Network(error) | Failed::Final(error) => error.to_string(),
                Failed::Busy(response) => format!("the authority answered with status {}", response.status),
            };
            repeats += 1;
            report_repeat(&why, repeats, options.most_retries, pause);
        })
        .await;
    match result {
        Ok(response) | Err(Failed::Busy(response)) => Ok(response),
        Err(Failed::Network(error) | Failed::Final(error)) => Err(error),
    }
}

/// Logs a retry: the first as a warning, and each as a debug event for progress displays.
fn report_repeat(why: &str, repeat: usize, of: usize, pause: Duration) {
    if repeat == 1 {
        tracing::warn!(target: RETRY, why, "the token request will be repeated, at most {of} times");
    }
    let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(target: RETRY, why, repeat = repeat as u64, of = of as u64, pause_ms, "the token request will be repeated");
}

/// The target of the events about retries.
const RETRY: &str = "shared_token_cache::retry";

/// The time limit of a request for the time of day.
const DATE_TIMEOUT: Duration = Duration::from_secs(5);

/// The time of day at a server, if its reply has a date.
pub(super) async fn date(way: &Way<'_>, url: Url) -> Result<Option<u64>, TransportError> {
    way.try_credentials(&url).await.map_err(Failed::into_error)?;
    let reply = match way.client.get(url.clone()).timeout(DATE_TIMEOUT).send().await {
        Ok(reply) => reply,
        Err(error) => return Err(network(way, &url, error).await.into_error()),
    };
    let date = reply.headers().get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    Ok(date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok()).map(|date| date.as_secs()))
}

async fn once(way: &Way<'_>, url: &Url, request: reqwest::RequestBuilder, largest: usize) -> Result<Response, Failed> {
    way.try_credentials(url).await?;
    let mut reply = match request.send().await {
        Ok(reply) => reply,
        Err(error) => return Err(network(way, url, error).await),
    };
    let status = reply.status().as_u16();
    let retry_after = retry_after(reply.headers(), SystemTime::now());
    let host = reply.url().host_str().unwrap_or_default().to_owned();
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = match reply.chunk().await {
        Ok(chunk) => chunk,
        Err(error) => return Err(network(way, url, error).await),
    } {
        if body.len() + chunk.len() > largest {
            let what = format!("the answer of {host} has more than {largest} bytes");
            return Err(Failed::Final(TransportError::Limit(LimitExceeded::new("limits.response-kib", &what))));
        }
        append(&mut body, &chunk);
    }
    let class = reply::class(status, &body);
    let response = Response { status, body, retry_after, class };
    if response.is_worth_repeating() { Err(Failed::Busy(response)) } else { Ok(response) }
}

/// Encodes the form (RFC 6749, appendix B). The buffer is shared, and zeroized when its last
/// reference is dropped.
fn urlencoded<'a>(fields: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Bytes {
    // Each byte becomes at most three. The capacity is reserved: growing would leave copies in
    // freed memory.
    let most = fields.clone().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut serializer = url::form_urlencoded::Serializer::new(String::with_capacity(most));
    serializer.extend_pairs(fields);
    Bytes::from_owner(Zeroizing::new(serializer.finish().into_bytes()))
}

/// Appends to a buffer, and zeroizes the old one if it has to grow.
fn append(buffer: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let size = buffer.len() + bytes.len();
    if size > buffer.capacity() {
        let mut roomier = Zeroizing::new(Vec::with_capacity(size.max(2 * buffer.capacity())));
        roomier.extend_from_slice(buffer);
        *buffer = roomier;
    }
    buffer.extend_from_slice(bytes);
}

/// Parses seconds or a date: RFC 9110, section 10.2.3.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()),
    }
}

async fn network(way: &Way<'_>, url: &Url, error: reqwest::Error) -> Failed {
    let says = |what: &str| causes(&error).any(|error| error.to_string() == what);
    if let Some(proxy) = way.proxy
        && UNREAD.iter().any(|what| says(what))
        && let Ok(Some(answer)) = way.ask(proxy, url).await
    {
        return failed(proxy.failure(answer, url.host_str().unwrap_or_default()));
    }
    failed(transport_error(way, url, error))
}

/// Converts an error of the HTTP client; returns whether a retry would fail in the same way.
fn transport_error(way: &Way<'_>, url: &Url, error: reqwest::Error) -> (TransportError, bool) {
    if let Some(denied) = cause::<Denied>(&error) {
        return (denied.clone().into(), true);
    }
    if let Some(proxy) = way.proxy {
        if causes(&error).any(|error| error.to_string() == WANTS_CREDENTIALS) {
            return (proxy.refuse(Answer::Status(407)), true);
        }
        proxy.pass();
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    // A retry would get the same certificate.
    if let Some(rustls::Error::InvalidCertificate(why)) = cause(&error) {
        return (way.trust.disbelief(&host, why), true);
    }
    let timeout = error.is_timeout();
    // The URL contains no secret, but adds nothing to the message.
    let mut why = reason(&error.without_url());
    if let Some(proxy) = way.proxy {
        why.push_str(&format!("; through {}", proxy.named()));
    }
    if timeout {
        (TransportError::Timeout { host, why }, false)
    } else {
        (TransportError::Unreachable { host, why }, false)
    }
}

/// hyper's text for a proxy's status 407; the error's type is private.
const WANTS_CREDENTIALS: &str = "tunnel error: proxy authorization required";

/// hyper's texts for a status that opens no tunnel, and for a reply that it cannot parse.
const UNREAD: [&str; 2] = ["tunnel error: unsuccessful", "tunnel error: proxy response headers too long"];

/// The cause of an error that has this type.
fn cause<'e, T: std::error::Error + 'static>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e T> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// An error and its causes. An I/O error's `source` skips the error inside of it.
fn causes<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| match error.downcast_ref::<std::io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static)),
        None => error.source(),
    })
}

/// The reason of a failed connection, without the HTTP client's own chain of causes: the last cause
/// is the system's.
fn reason(error: &reqwest::Error) -> String {
    if let Some(unresolved) = cause::<Unresolved>(error) {
        return unresolved.to_string();
    }
    let last = causes(error).last().map(ToString::to_string).unwrap_or_default();
    if error.is_timeout() || last.is_empty() {
        return chain(error);
    }
    // rustls appends a link to its documentation if a connection was closed early.
    last.split(": https://docs.rs/").next().unwrap_or_default().to_owned()
}

/// An error and its causes in one line. The last cause is usually the informative one.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded_in_place_and_a_body_grows_without_losing_a_byte() {
        let fields = [("scope", "a b/c&d=é"), ("refresh_token", "rt~*-._"), ("claims", "")];
        assert_eq!(urlencoded(fields.into_iter()), "scope=a+b%2Fc%26d%3D%C3%A9&refresh_token=rt%7E*-._&claims=");

        let mut body = Zeroizing::new(Vec::new());
        (0..=255).for_each(|byte| append(&mut body, &[byte; 7]));
        assert_eq!(*body, (0..=255).flat_map(|byte| [byte; 7]).collect::<Vec<u8>>());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (value, expected) in [
            ("7", Some(Duration::from_secs(7))),
            ("Tue, 14 Nov 2023 22:13:30 GMT", Some(Duration::from_secs(10))),
            ("Tue, 14 Nov 2023 22:13:10 GMT", Some(Duration::ZERO)),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), expected, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
