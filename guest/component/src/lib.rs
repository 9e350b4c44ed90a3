//! The credential as a WebAssembly component: binds the WIT world's functions to
//! `shared-token-cache-core`, which holds the logic, and converts between their types.

mod convert;
mod credential;
mod host;
mod tokens;
mod wit;

struct Component;

#[expect(unsafe_code, reason = "the macro defines the functions that the component exports")]
mod export {
    use super::Component;
    use super::wit;

    wit::export!(Component with_types_in wit);
}
