//! A D-Bus session with a real GNOME Keyring of a test's own, on Linux. It does not touch the
//! user's session.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod session;

#[cfg(target_os = "linux")]
pub use session::{Running, Session, missing_bus, missing_keyring};
