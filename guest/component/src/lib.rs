//! The credential as a WebAssembly component: binds the WIT world's functions to
//! `shared-token-cache-core`, which holds the logic, and converts between their types.

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
