//! The program and real azure-identity for Python, with the same item of a real GNOME Keyring.
//!
//! Each test has a bus, a keyring and a home of its own. `KEYRING_PYTHON` names a Python that has
//! azure-identity and libsecret's bindings; `cargo xtask test` sets it. Neither side uses the
//! network.

#[cfg(target_os = "linux")]
mod doctor;
#[cfg(target_os = "linux")]
mod locked;
#[cfg(target_os = "linux")]
mod open;
#[cfg(target_os = "linux")]
mod peers;
#[cfg(target_os = "linux")]
mod plain_text;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use shared_token_cache_tests::peers::{Python, run};

    let missing = keyring_session::missing_bus().or_else(keyring_session::missing_keyring);
    let python = missing.map_or_else(|| Python::named_by("KEYRING_PYTHON", "peers.py"), Err);
    let checks = [&open::CHECKS[..], &locked::CHECKS, &plain_text::CHECKS, &doctor::CHECKS].concat();
    run(&checks, python, peers::Peers::new)
}

/// Other platforms have no Secret Service.
#[cfg(not(target_os = "linux"))]
fn main() {}
