//! Keychain.
