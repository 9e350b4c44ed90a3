//! The declarations of the ABI's header: Envoy's functions and their types, without the prefix
//! `envoy_dynamic_module_`.

use std::ffi::{c_char, c_void};

/// Envoy compares it with its own version, and logs a warning if they differ.
pub(super) const VERSION: &std::ffi::CStr = c"v0.2.0";

/// `type_http_header_type`
pub(super) const REQUEST_HEADER: u32 = 0;

/// `type_on_http_filter_request_headers_status`
pub(super) const CONTINUE: u32 = 0;
pub(super) const STOP_ITERATION: u32 = 1;

/// `type_metrics_result`
pub(super) const SUCCESS: u32 = 0;

/// `type_http_filter_config_envoy_ptr`: a configuration, while Envoy reads it and until
/// `on_http_filter_config_destroy`.
pub(super) type EnvoyConfig = *mut c_void;

/// `type_http_filter_envoy_ptr`: a request, until `on_http_filter_destroy`.
pub(super) type EnvoyFilter = *mut c_void;

/// `type_module_buffer` and `type_envoy_buffer`: bytes that are valid during the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Buffer {
    pub(super) data: *const c_char,
    pub(super) length: usize,
}

impl Buffer {
    pub(super) fn of(text: &str) -> Self {
        Self { data: text.as_ptr().cast(), length: text.len() }
    }
}

/// Declares Envoy's functions, whose names begin with `callback_`.
macro_rules! callbacks {
    ($($name:literal => fn $function:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        unsafe extern "C" {
            $(
                #[link_name = concat!("envoy_dynamic_module_callback_", $name)]
                pub(super) fn $function($($argument: $type),*) $(-> $result)?;
            )*
        }
    };
}

callbacks! {
    // On any thread.
    "log_v2" => fn log(level: u32, message: Buffer, source_file: Buffer, source_line: u32);
    "log_enabled" => fn log_enabled(level: u32) -> bool;

    // On the main thread.
    "is_validation_mode" => fn is_validation_mode() -> bool;
    "http_filter_config_define_counter" => fn define_counter(
        config: EnvoyConfig, name: Buffer, label_names: *const Buffer, label_names_length: usize, counter_id: *mut usize
    ) -> u32;

    // On the thread of the request.
    "http_filter_increment_counter" => fn increment_counter(
        filter: EnvoyFilter, id: usize, label_values: *const Buffer, label_values_length: usize, value: u64
    ) -> u32;
    "http_set_header" => fn set_header(filter: EnvoyFilter, header_type: u32, key: Buffer, value: Buffer) -> bool;
    "http_send_response" => fn send_response(
        filter: EnvoyFilter, status_code: u32, headers: *const c_void, headers_size: usize, body: Buffer, details: Buffer
    );
}
