//! Functions that the ABI requires and a filter of request headers does not use. None can panic.

use std::ffi::c_void;

use super::abi::{Buffer, CONTINUE, EnvoyFilter};

/// The request as `on_http_filter_new` returned it.
type Filter = *const c_void;

/// An array of `type_envoy_http_header`.
type Headers = *const c_void;

macro_rules! no_ops {
    ($($name:ident($($argument:ty),*) $(-> $result:expr)?;)*) => {
        $(no_ops!(@ $name($($argument),*) $(-> $result)?);)*
    };
    (@ $name:ident($($argument:ty),*)) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $argument),*) {}
    };
    (@ $name:ident($($argument:ty),*) -> $result:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $argument),*) -> u32 {
            $result
        }
    };
}

no_ops! {
    envoy_dynamic_module_on_http_filter_request_body(EnvoyFilter, Filter, bool) -> CONTINUE;
    envoy_dynamic_module_on_http_filter_request_trailers(EnvoyFilter, Filter) -> CONTINUE;
    envoy_dynamic_module_on_http_filter_response_headers(EnvoyFilter, Filter, bool) -> CONTINUE;
    envoy_dynamic_module_on_http_filter_response_body(EnvoyFilter, Filter, bool) -> CONTINUE;
    envoy_dynamic_module_on_http_filter_response_trailers(EnvoyFilter, Filter) -> CONTINUE;
    envoy_dynamic_module_on_http_filter_stream_complete(EnvoyFilter, Filter);
    envoy_dynamic_module_on_http_filter_http_callout_done(EnvoyFilter, Filter, u64, u32, Headers, usize, *const Buffer, usize);
    envoy_dynamic_module_on_http_filter_http_stream_headers(EnvoyFilter, Filter, u64, Headers, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_data(EnvoyFilter, Filter, u64, *const Buffer, usize, bool);
    envoy_dynamic_module_on_http_filter_http_stream_trailers(EnvoyFilter, Filter, u64, Headers, usize);
    envoy_dynamic_module_on_http_filter_http_stream_complete(EnvoyFilter, Filter, u64);
    envoy_dynamic_module_on_http_filter_http_stream_reset(EnvoyFilter, Filter, u64, u32);
    envoy_dynamic_module_on_http_filter_scheduled(EnvoyFilter, Filter, u64);
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(EnvoyFilter, Filter);
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(EnvoyFilter, Filter);
}
