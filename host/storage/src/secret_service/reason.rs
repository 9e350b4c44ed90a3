//! Why a keyring can't be used, with hints for the user.
//!
//! The texts are parts of sentences: "cannot read the cache: {}", "there is no file
//! /home/user0/…, and {}", "in the file …, as {}".

use std::fmt::Display;
use std::io::ErrorKind;
use std::time::Duration;

use secret_service::Error;
use zbus::{DBusError as _, fdo};

use crate::KeyringError;

const UNLOCK: &str =
    "unlock it by signing in to the desktop with its password or with a program such as Seahorse, then try again";

/// The peer whose answer is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Bus,
    Keyring,
}

/// The bus and the item that the texts name.
#[derive(Debug)]
pub(super) struct Reasons {
    pub(super) bus: String,
    pub(super) place: String,
}

impl Reasons {
    /// Connecting to the bus failed.
    pub(super) fn no_bus(&self, error: &zbus::Error) -> KeyringError {
        let absent = match error {
            zbus::Error::Connection(error, _) | zbus::Error::InputOutput(error) => {
                matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
            }
            _ => false,
        };
        let Self { bus, .. } = self;
        if absent {
            return KeyringError::Missing(format!(
                "there is no keyring, because nothing listens at the D-Bus address {bus}; to use one, sign in to a desktop, or \
                 correct the address"
            ));
        }
        KeyringError::Failed(format!("the keyring cannot be used, because the D-Bus bus at {bus} failed: {error}"))
    }

    /// The operation timed out.
    pub(super) fn no_answer(&self, asked: Asked, patience: Duration) -> KeyringError {
        let (bus, seconds) = (&self.bus, patience.as_secs());
        KeyringError::Failed(match asked {
            Asked::Bus => format!(
                "the keyring cannot be used, because the D-Bus bus at {bus} did not answer within {seconds} s; check \
                 whether its daemon hangs"
            ),
            Asked::Keyring => format!(
                "the keyring (Secret Service on the D-Bus bus at {bus}) did not answer within {seconds} s; check \
                 whether it waits for a confirmation, or hangs"
            ),
        })
    }

    pub(super) fn no_collection(&self) -> KeyringError {
        KeyringError::Missing(format!(
            "the keyring (Secret Service on the D-Bus bus at {}) has no default collection yet; to use it, sign in to the desktop \
             with a password, or create one with a program such as Seahorse",
            self.bus
        ))
    }

    pub(super) fn locked_collection(&self, label: &str) -> KeyringError {
        let name = if label.is_empty() { String::new() } else { format!(", collection “{label}”") };
        KeyringError::Locked(format!("the keyring (Secret Service{name}) is locked; {UNLOCK}"))
    }

    pub(super) fn locked_item(&self) -> KeyringError {
        KeyringError::Locked(format!("the {} is locked; {UNLOCK}", self.place))
    }

    pub(super) fn vanished(&self) -> KeyringError {
        KeyringError::Failed(format!("the {} was changed by another program since it was read", self.place))
    }

    pub(super) fn failed(&self, error: &dyn Display) -> KeyringError {
        KeyringError::Failed(format!("the keyring (Secret Service on the D-Bus bus at {}) failed: {error}", self.bus))
    }

    /// The bus or the keyring returned an error.
    pub(super) fn of(&self, error: &Error) -> KeyringError {
        if matches!(error, Error::Locked) {
            return self.locked_item();
        }
        match dbus_name(error).as_deref() {
            Some("org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner") => {
                KeyringError::Missing(format!(
                    "there is no keyring, because no program offers the Secret Service on the D-Bus bus at {}; to use one, start a \
                     daemon such as gnome-keyring",
                    self.bus
                ))
            }
            Some("org.freedesktop.Secret.Error.IsLocked") => self.locked_item(),
            _ => self.failed(error),
        }
    }
}

/// Whether an error says that the item no longer exists.
pub(super) fn is_gone(error: &Error) -> bool {
    let names = [
        "org.freedesktop.Secret.Error.NoSuchObject",
        "org.freedesktop.DBus.Error.UnknownObject",
        // GLib's answer for an unknown object.
        "org.freedesktop.DBus.Error.UnknownMethod",
    ];
    dbus_name(error).is_some_and(|name| names.contains(&name.as_str()))
}

/// The name of the error, if it came over D-Bus.
fn dbus_name(error: &Error) -> Option<String> {
    match error {
        Error::Zbus(error) => name_in(error),
        Error::ZbusFdo(error) => name_of(error),
        _ => None,
    }
}

fn name_in(error: &zbus::Error) -> Option<String> {
    match error {
        zbus::Error::MethodError(name, ..) => Some(name.to_string()),
        zbus::Error::FDO(error) => name_of(error),
        _ => None,
    }
}

fn name_of(error: &fdo::Error) -> Option<String> {
    match error {
        fdo::Error::ZBus(error) => name_in(error),
        error => Some(error.name().to_string()),
    }
}
