//! The D-Bus bus of a keyring.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::str::FromStr as _;

use zbus::address::Transport;
use zbus::address::transport::{Unix, UnixSocket};
use zbus::{Address, Connection, connection};

use crate::{KeyringAccess, KeyringError};

const ADDRESS: &str = "DBUS_SESSION_BUS_ADDRESS";
const RUNTIME_FOLDER: &str = "XDG_RUNTIME_DIR";

/// The addresses of one bus, tried in order.
#[derive(Debug)]
pub(super) struct Bus(Vec<Address>);

impl Bus {
    /// Connects at the first address that works.
    pub(super) async fn connect(&self) -> zbus::Result<Connection> {
        let mut problem = zbus::Error::Address("there is none".to_owned());
        for address in &self.0 {
            match connection::Builder::address(address.clone())?.build().await {
                Ok(connection) => return Ok(connection),
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }
}

/// The addresses without their servers' ids, which a user does not recognize.
impl fmt::Display for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, address) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ";" };
            write!(f, "{separator}{}", address.transport())?;
        }
        Ok(())
    }
}

/// The bus that `access` names.
pub(super) fn find(access: &KeyringAccess, variable: impl Fn(&str) -> Option<OsString>) -> Result<Bus, KeyringError> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    match access {
        KeyringAccess::None => {
            Err(KeyringError::Missing("there is no keyring, because the options exclude it".to_owned()))
        }
        KeyringAccess::Bus(address) => parse(address, "the D-Bus address"),
        KeyringAccess::Session => match variable(ADDRESS) {
            Some(address) => parse(&address.to_string_lossy(), ADDRESS),
            None => in_folder(variable(RUNTIME_FOLDER).as_deref().map(Path::new)),
        },
    }
}

/// The bus that systemd starts for a user's sessions. Without it, programs outside a session have
/// no keyring.
fn in_folder(folder: Option<&Path>) -> Result<Bus, KeyringError> {
    let socket = folder.map(|folder| folder.join("bus"));
    let looked_for = match socket {
        Some(socket) if socket.exists() => {
            return Ok(Bus(vec![Address::new(Transport::Unix(Unix::new(UnixSocket::File(socket))))]));
        }
        Some(socket) => format!("there is no {}", socket.display()),
        None => format!("neither is {RUNTIME_FOLDER}"),
    };
    Err(KeyringError::Missing(format!(
        "there is no keyring, because there is no D-Bus session bus ({ADDRESS} is not set, and {looked_for}); to use one, sign in \
         to a desktop, or run the program in `dbus-run-session` together with a keyring's daemon"
    )))
}

/// Accepts sockets only: an address can also name a program to run.
fn parse(addresses: &str, origin: &str) -> Result<Bus, KeyringError> {
    let parse = |text: &str| Address::from_str(text).map_err(|error| error.to_string());
    let socket = |address: Address| match address.transport() {
        Transport::Unix(_) | Transport::Tcp(_) => Ok(address),
        other => Err(format!("`{other}` is not a socket")),
    };
    let addresses: Result<Vec<_>, _> = addresses
        .split(';')
        .filter(|address| !address.is_empty())
        .map(|address| parse(address.trim()).and_then(socket))
        .collect();
    addresses.map(Bus).map_err(|why| {
        KeyringError::Failed(format!(
            "the keyring cannot be used, because {origin} is invalid ({why}); write it as `unix:path=/run/user/1000/bus`"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(access: &KeyringAccess, variables: &[(&str, &str)]) -> Result<String, KeyringError> {
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        find(access, value).map(|bus| bus.to_string())
    }

    #[test]
    fn the_session_names_its_bus_or_has_it_in_the_runtime_folder() {
        let session = KeyringAccess::Session;
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().to_str().unwrap();
        let socket = format!("unix:path={runtime}/bus");

        let address = "unix:path=/made-up/bus,guid=00000000000000000000000000000000";
        assert_eq!(
            found(&session, &[(ADDRESS, address), (RUNTIME_FOLDER, runtime)]).unwrap(),
            "unix:path=/made-up/bus"
        );
        let several = "unix:abstract=made-up;unix:path=/made-up/bus";
        assert_eq!(found(&session, &[(ADDRESS, several)]).unwrap(), several);

        let missing = found(&session, &[(ADDRESS, ""), (RUNTIME_FOLDER, runtime)]).unwrap_err();
        assert!(
            matches!(&missing, KeyringError::Missing(why) if why.contains(&format!("no {runtime}/bus"))),
            "{missing}"
        );
        let missing = found(&session, &[]).unwrap_err();
        assert!(
            matches!(&missing, KeyringError::Missing(why) if why.contains("neither is XDG_RUNTIME_DIR")),
            "{missing}"
        );

        std::fs::write(folder.path().join("bus"), "").unwrap();
        assert_eq!(found(&session, &[(RUNTIME_FOLDER, runtime)]).unwrap(), socket);
    }

    #[test]
    fn an_address_that_is_not_of_a_socket_is_an_error() {
        for (address, part) in [
            ("/run/user/1000/bus", "unix:path=/run/user/1000/bus"),
            ("autolaunch:", "the D-Bus address is invalid"),
            ("unixexec:path=/bin/true", "is not a socket"),
        ] {
            let error = found(&KeyringAccess::Bus(address.to_owned()), &[]).unwrap_err();
            assert!(matches!(&error, KeyringError::Failed(why) if why.contains(part)), "{address}: {error}");
        }
    }
}
