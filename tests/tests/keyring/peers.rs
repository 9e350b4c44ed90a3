//! A home folder, a keyring, and the two programs that use both.

use std::io;

use keyring_session::Session;
use serde_json::Value;
use shared_token_cache_tests::cli::{Authority, Cli, Run};
use shared_token_cache_tests::peers::Python;
use shared_token_cache_tests::sign_in::{GRAPH, LOCAL, MARK, token_reply};

/// The shared cache, as an item.
pub(crate) const ITEM: &str = "msal.cache.nocae";

pub(crate) struct Peers {
    python: Python,
    pub(crate) cli: Cli,
    pub(crate) session: Session,
}

impl Peers {
    pub(crate) fn new(python: Python) -> io::Result<Self> {
        let (mut cli, session) = (Cli::new()?, Session::with_keyring()?);
        cli.set("DBUS_SESSION_BUS_ADDRESS", session.address());
        Ok(Self { python, cli, session })
    }

    /// Has MSAL write the sign-in of user `number` into the keyring, with an expired access token;
    /// returns an authority for the program.
    pub(crate) fn sign_in(&self, number: u32) -> io::Result<Authority> {
        self.write(&["--keyring", ITEM], number)
    }

    /// The same in plain text.
    pub(crate) fn sign_in_to(&self, file: &str, number: u32) -> io::Result<Authority> {
        self.write(&["--file", file], number)
    }

    fn write(&self, place: &[&str], number: u32) -> io::Result<Authority> {
        let user = number.to_string();
        let sign_in = ["--authority", LOCAL, "--scope", GRAPH, "--number", &user];
        self.python.run(&self.cli, "sign-in", &[&sign_in, place].concat())?;
        Authority::answering(200, token_reply(number))
    }

    /// A token of azure-identity's SharedTokenCacheCredential.
    pub(crate) fn credential(&self, arguments: &[&str]) -> io::Result<Value> {
        self.python.run(&self.cli, "credential", arguments)
    }

    /// The program's `doctor`, which must not show any token.
    pub(crate) fn doctor(&self, authority: &Authority) -> io::Result<Value> {
        let (host, ca_file) = (authority.host(), authority.ca_file());
        let run = self.cli.run(&["doctor", "--output", "json", "--authority", &host, "--ca-file", &ca_file])?;
        shown(&run).and_then(|()| Ok(serde_json::from_str(&run.stdout)?))
    }
}

/// Fails if a program's output contains a secret that it has no reason to show.
pub(crate) fn shown(run: &Run) -> io::Result<()> {
    if run.stdout.contains(MARK) { Err(io::Error::other("it has shown a secret")) } else { Ok(()) }
}
