//! The Secret Service of a real GNOME Keyring, alone and together with real MSAL and azure-identity
//! for Python.
//!
//! Each test has a bus, a keyring and a home of its own; the user's session is not touched.
//! `KEYRING_PYTHON` names a Python that has PyGObject, libsecret's bindings, msal-extensions and
//! azure-identity. Without it, or without the programs, tests are ignored.

#[cfg(target_os = "linux")]
mod checks;
#[cfg(target_os = "linux")]
mod peer;
#[cfg(target_os = "linux")]
mod reasons;
#[cfg(target_os = "linux")]
mod store;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

/// Other platforms have no Secret Service.
#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::process::ExitCode;

    use keyring_session::{missing_bus, missing_keyring};
    use libtest_mimic::{Arguments, Failed, Trial};

    use crate::peer::Peers;
    use crate::{checks, reasons};

    const PYTHON: &str = "KEYRING_PYTHON";

    type Check = fn() -> io::Result<()>;
    type CheckWithPeers = fn(&Peers) -> io::Result<()>;

    pub(super) fn main() -> ExitCode {
        let arguments = Arguments::from_args();
        let python = std::env::var_os(PYTHON).filter(|value| !value.is_empty());
        let (no_bus, no_keyring) = (missing_bus(), missing_keyring());
        let (bus, keyring) = (no_bus.is_none(), no_keyring.is_none());
        let peers = bus && keyring && python.is_some();
        let no_python = "KEYRING_PYTHON names no Python with azure-identity and libsecret; see `cargo xtask test`";
        let no_python = python.is_none().then(|| no_python.to_owned());
        for why in [no_bus, no_keyring, no_python].into_iter().flatten() {
            ignored(&why);
        }

        let alone = |(name, check): (&str, Check), runs: bool| {
            Trial::test(name, move || check().map_err(Failed::from)).with_ignored_flag(!runs)
        };
        let mut trials: Vec<_> = reasons::WITHOUT_A_BUS.map(|check| alone(check, true)).into();
        trials.extend(reasons::ON_A_BUS.map(|check| alone(check, bus)));
        trials.extend(reasons::ON_A_KEYRING.map(|check| alone(check, bus && keyring)));
        trials.extend(checks::ALL.map(|(name, check): (&str, CheckWithPeers)| {
            let python = python.clone().unwrap_or_default();
            let run = move || check(&Peers::new(&python)?).map_err(Failed::from);
            Trial::test(name, run).with_ignored_flag(!peers)
        }));
        libtest_mimic::run(&arguments, trials).exit_code()
    }

    #[expect(clippy::print_stderr, reason = "the output must show why tests are ignored")]
    fn ignored(why: &str) {
        eprintln!("tests of the keyring are ignored: {why}");
    }
}
