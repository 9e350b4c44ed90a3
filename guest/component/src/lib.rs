//! The credential as a WebAssembly component. What it does is in `shared-token-cache-core`; here the world's functions are
//! bound to it and its types converted.

mod convert;
mod credential;
mod host;
mod tokens;
mod wit;

struct Plugin;

#[expect(unsafe_code, reason = "the macro defines the functions that the component exports")]
mod export {
    use super::Plugin;
    use super::wit;

    wit::export!(Plugin with_types_in wit);
}
