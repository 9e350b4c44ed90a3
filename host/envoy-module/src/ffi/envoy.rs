//! Implementations of the module's traits by Envoy.

use std::ptr;

use tracing::{Level, Metadata};

use super::abi::{self, Buffer};
use crate::config::Setup;
use crate::counters::Define;
use crate::filter::Stream;
use crate::log::Sink;

/// The body of the 401 answer.
const BODY: &str = "There is no access token for this request.\n";

/// `%RESPONSE_CODE_DETAILS%` in access logs.
const DETAILS: &str = "entra_token_unavailable";

pub(super) struct Log;

impl Sink for Log {
    fn enabled(&self, level: Level) -> bool {
        // SAFETY: this may be called on any thread, with any level.
        unsafe { abi::log_enabled(number(level)) }
    }

    fn write(&self, source: &Metadata<'_>, line: &str) {
        let (level, file) = (number(*source.level()), Buffer::of(source.file().unwrap_or_default()));
        // SAFETY: this may be called on any thread, and has read the texts when it returns.
        unsafe { abi::log(level, Buffer::of(line), file, source.line().unwrap_or_default()) }
    }
}

/// A configuration that Envoy is reading, on its main thread.
pub(super) struct Reading(abi::EnvoyConfig);

impl Reading {
    /// # Safety
    /// Envoy must be in its call of `on_http_filter_config_new` for this configuration.
    pub(super) unsafe fn new(config: abi::EnvoyConfig) -> Self {
        Self(config)
    }
}

impl Define for Reading {
    fn counter(&self, name: &str) -> Option<usize> {
        let mut id = 0;
        // SAFETY: Envoy is reading this configuration; there are no labels; the number is written
        // before the call returns.
        let result = unsafe { abi::define_counter(self.0, Buffer::of(name), ptr::null(), 0, &raw mut id) };
        (result == abi::SUCCESS).then_some(id)
    }
}

impl Setup for Reading {
    fn only_validates(&self) -> bool {
        // SAFETY: this is Envoy's main thread.
        unsafe { abi::is_validation_mode() }
    }
}

/// A request whose headers have just arrived, on its thread.
pub(super) struct Request(abi::EnvoyFilter);

impl Request {
    /// # Safety
    /// Envoy must be in its call of `on_http_filter_request_headers` for this request.
    pub(super) unsafe fn new(filter: abi::EnvoyFilter) -> Self {
        Self(filter)
    }
}

impl Stream for Request {
    fn set_authorization(&self, value: &str) -> bool {
        let key = Buffer::of("authorization");
        // SAFETY: Envoy is handling this request. Envoy removes the client's headers of this name,
        // and copies the value.
        unsafe { abi::set_header(self.0, abi::REQUEST_HEADER, key, Buffer::of(value)) }
    }

    fn refuse(&self) {
        let (body, details) = (Buffer::of(BODY), Buffer::of(DETAILS));
        // SAFETY: Envoy is handling this request; there are no headers; Envoy copies the texts.
        unsafe { abi::send_response(self.0, 401, ptr::null(), 0, body, details) }
    }

    fn count(&self, counter: usize, by: u64) {
        // SAFETY: Envoy is handling this request; the counter was made by its configuration,
        // without labels.
        let _ = unsafe { abi::increment_counter(self.0, counter, ptr::null(), 0, by) };
    }
}

/// `type_log_level`
fn number(level: Level) -> u32 {
    match level {
        Level::TRACE => 0,
        Level::DEBUG => 1,
        Level::INFO => 2,
        Level::WARN => 3,
        Level::ERROR => 4,
    }
}
