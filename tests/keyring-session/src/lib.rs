//! A D-Bus session with a real GNOME Keyring, of a test's own: nothing of the user's session is touched. Only Linux has such a thing.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod session;

#[cfg(target_os = "linux")]
pub use session::{Running, Session, missing_bus, missing_keyring};
