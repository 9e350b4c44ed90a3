//! What the keyrings of the platforms have in common.

#[cfg(any(target_os = "linux", target_os = "macos"))]
use zeroize::Zeroizing;

/// Which keyring may be used. The Secret Service is Linux's, the Keychain that of macOS; Windows has none that holds caches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KeyringAccess {
    /// None.
    #[default]
    None,
    /// The one of the user's session: on Linux behind `DBUS_SESSION_BUS_ADDRESS`, else `$XDG_RUNTIME_DIR/bus`.
    Session,
    /// Linux: the one at this D-Bus address, such as `unix:path=/run/user/1000/bus`.
    Bus(String),
}

/// A keyring, asked for the one item that holds a certain cache.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) trait Keyring: std::fmt::Debug + Send + Sync {
    /// The item as it is now, read without asking the user anything; `None` if there is none.
    fn read(&self) -> Result<Option<Item>, KeyringError>;

    /// Puts another document into the item that `read` gave, in the form in which it held the last one.
    fn write(&self, item: &Item, document: &[u8]) -> Result<(), KeyringError>;

    /// The item in words for the user, such as "item `msal.cache.nocae` in the keyring (Secret Service)".
    fn place(&self) -> String;
}

/// Which cache an item holds. Each writer names its items in its own way.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cache {
    /// A document of the shared cache, such as `msal.cache.nocae`.
    Shared(String),
    /// That of the Azure CLI.
    AzureCli(crate::azure_cli::Item),
}

/// An item of a keyring.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) struct Item {
    /// What names it to its keyring.
    pub(crate) id: String,
    /// The document in it, decoded.
    pub(crate) document: Zeroizing<Vec<u8>>,
    /// Whether it holds the document in base64.
    pub(crate) base64: bool,
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Item({}, {} bytes)", self.id, self.document.len())
    }
}

/// The keyring of a user who is to use none.
#[cfg(target_os = "macos")]
#[derive(Debug)]
pub(crate) struct Closed;

#[cfg(target_os = "macos")]
impl Keyring for Closed {
    fn read(&self) -> Result<Option<Item>, KeyringError> {
        Err(KeyringError::Missing("there is no Keychain, because none is to be used".to_owned()))
    }

    fn write(&self, _: &Item, _: &[u8]) -> Result<(), KeyringError> {
        self.read().map(drop)
    }

    fn place(&self) -> String {
        "item in the Keychain".to_owned()
    }
}

/// Why a keyring can't be used. The texts are parts of sentences and say what to do: "there is no file …, and {}".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// There is none on this machine, or none for this session.
    #[error("{0}")]
    Missing(String),
    /// It has to be unlocked first.
    #[error("{0}")]
    Locked(String),
    /// It failed, or took too long.
    #[error("{0}")]
    Failed(String),
}

/// A keyring for the tests of what uses one.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[cfg(test)]
pub(crate) mod fake {
    use std::sync::{Arc, Mutex, MutexGuard};
    use std::time::Duration;

    use super::{Item, Keyring, KeyringError};

    /// A keyring in memory; its clones are the same one.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Fake(Arc<Mutex<State>>);

    #[derive(Debug, Default)]
    struct State {
        document: Option<Vec<u8>>,
        error: Option<KeyringError>,
        reads: usize,
    }

    impl Fake {
        pub(crate) fn holding(document: &str) -> Self {
            let fake = Self::default();
            fake.put(document);
            fake
        }

        pub(crate) fn put(&self, document: &str) {
            self.state().document = Some(document.into());
        }

        pub(crate) fn remove(&self) {
            self.state().document = None;
        }

        /// What it answers from now on, other than its item.
        pub(crate) fn fail(&self, error: impl Into<Option<KeyringError>>) {
            self.state().error = error.into();
        }

        pub(crate) fn document(&self) -> Option<Vec<u8>> {
            self.state().document.clone()
        }

        pub(crate) fn reads(&self) -> usize {
            self.state().reads
        }

        fn state(&self) -> MutexGuard<'_, State> {
            self.0.lock().unwrap()
        }
    }

    impl Keyring for Fake {
        fn read(&self) -> Result<Option<Item>, KeyringError> {
            let mut state = self.state();
            state.reads += 1;
            let outcome = (state.error.clone(), state.document.clone());
            drop(state);
            // What a keyring answers is a little old when it arrives.
            std::thread::sleep(Duration::from_millis(1));
            let item = |document: Vec<u8>| Item { id: "made-up".to_owned(), document: document.into(), base64: false };
            match outcome {
                (Some(error), _) => Err(error),
                (None, document) => Ok(document.map(item)),
            }
        }

        fn write(&self, item: &Item, document: &[u8]) -> Result<(), KeyringError> {
            let mut state = self.state();
            state.error.clone().map_or(Ok(()), Err)?;
            assert!(item.id == "made-up" && state.document.is_some(), "only an item that was read is written");
            state.document = Some(document.to_owned());
            Ok(())
        }

        fn place(&self) -> String {
            "item made-up in the fake".to_owned()
        }
    }
}
