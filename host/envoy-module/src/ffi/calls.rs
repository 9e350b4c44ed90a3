//! The functions that Envoy calls and that have work to do.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Once;

use shared_token_cache::SystemClock;

use super::abi::{self, Buffer};
use super::envoy::{Log, Reading, Request};
use crate::config::Config;
use crate::filter::{self, Verdict};
use crate::guard::{guarded, report_panics};
use crate::log;

/// Called when Envoy has loaded the module, on its main thread; again if it loads the module again.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    static ONCE: Once = Once::new();
    guarded(ptr::null, || {
        ONCE.call_once(|| {
            log::start(Log);
            report_panics();
        });
        abi::VERSION.as_ptr()
    })
}

/// Called when Envoy reads a configuration, on its main thread. Null rejects the configuration.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    config: abi::EnvoyConfig,
    name: Buffer,
    text: Buffer,
) -> *const c_void {
    guarded(ptr::null, || {
        // SAFETY: Envoy is reading this configuration now, and the buffers are valid until this
        // returns.
        let (reading, name, text) = unsafe { (Reading::new(config), bytes(name), bytes(text)) };
        match Config::read(&reading, name, text) {
            Ok(config) => Box::into_raw(Box::new(config)).cast_const().cast(),
            Err(mistakes) => {
                for mistake in mistakes {
                    tracing::error!("{mistake}");
                }
                ptr::null()
            }
        }
    })
}

/// Called when the configuration is no longer used, on any thread, such as that of its last
/// request.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(config: *const c_void) {
    guarded(
        || {},
        || {
            // SAFETY: the pointer comes from `on_http_filter_config_new`, and Envoy returns it
            // once.
            drop(unsafe { Box::from_raw(config.cast::<Config>().cast_mut()) });
        },
    );
}

/// Called when a request begins. All that it needs is in its configuration, which Envoy keeps as
/// long as the request, so nothing is allocated.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_new(config: *const c_void, _: abi::EnvoyFilter) -> *const c_void {
    config
}

/// Called when a request has ended. There is nothing to free.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_destroy(_: *const c_void) {}

/// Called when the headers of a request have arrived, before any of it is forwarded.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_http_filter_request_headers(
    filter: abi::EnvoyFilter,
    config: *const c_void,
    _end_of_stream: bool,
) -> u32 {
    // SAFETY: Envoy is handling this request now, and the pointer is what `on_http_filter_new`
    // returned.
    let (request, config) = unsafe { (Request::new(filter), &*config.cast::<Config>()) };
    // `filter::request` catches panics itself, because it must answer the request then.
    match filter::request(&request, &config.counters, config.current(), &SystemClock) {
        Verdict::Continue => abi::CONTINUE,
        Verdict::Stop => abi::STOP_ITERATION,
    }
}

/// # Safety
/// The buffer must be Envoy's, for as long as the bytes are used.
unsafe fn bytes<'a>(buffer: Buffer) -> &'a [u8] {
    if buffer.data.is_null() {
        return &[];
    }
    // SAFETY: Envoy passes a pointer to this many bytes.
    unsafe { std::slice::from_raw_parts(buffer.data.cast(), buffer.length) }
}
