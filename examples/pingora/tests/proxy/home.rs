//! A home folder in which made-up users are signed in with the Azure CLI.

use std::fs;
use std::process::Command;

use tempfile::TempDir;
use token_endpoint::sign_in::{SignIn, document};

const CACHE: &str = ".azure/msal_token_cache.json";

const POLICY: &str = include_str!("../../policy.toml");

pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn with(users: &[SignIn]) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.path(".azure")).unwrap();
        home.write("policy.toml", POLICY);
        home.replace(users);
        home
    }

    /// Replaces the cache atomically, as MSAL does.
    pub(crate) fn replace(&self, users: &[SignIn]) {
        self.write("new", &document(users));
        fs::rename(self.path("new"), self.path(CACHE)).unwrap();
    }

    /// Makes the program trust this CA, and no other, for its upstream.
    pub(crate) fn trust(&self, ca_pem: &str) {
        self.write("ca.pem", ca_pem);
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
        #[cfg(unix)]
        fs::set_permissions(self.path(name), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// The program, with an environment of this home's variables only.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pingora-example"));
        command.env_clear().env("HOME", self.0.path());
        if self.0.path().join("ca.pem").exists() {
            command.env("SSL_CERT_FILE", self.path("ca.pem"));
        }
        command
    }
}
