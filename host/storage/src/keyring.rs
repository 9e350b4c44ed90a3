//! The interface that the keyrings of the platforms share.

#[cfg(any(target_os = "linux", target_os = "macos"))]
use zeroize::Zeroizing;

/// Which keyring may be used: the Secret Service on Linux, the Keychain on macOS. No keyring of
/// Windows holds caches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KeyringAccess {
    /// None.
    #[default]
    None,
    /// The keyring of the user's session: on Linux at `DBUS_SESSION_BUS_ADDRESS`, else at
    /// `$XDG_RUNTIME_DIR/bus`.
    Session,
    /// Linux: the keyring at this D-Bus address, such as `unix:path=/run/user/1000/bus`.
    Bus(String),
}

/// A keyring, reduced to the one item that holds a certain cache.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) trait Keyring: std::fmt::Debug + Send + Sync {
    /// Reads the item without prompting the user; `None` if it does not exist.
    fn read(&self) -> Result<Option<Item>, KeyringError>;

    /// Replaces the document in an item that `read` returned, in the same encoding.
    fn write(&self, item: &Item, document: &[u8]) -> Result<(), KeyringError>;

    /// The item in words for the user, such as "item `msal.cache.nocae` in the keyring (Secret
    /// Service)".
    fn place(&self) -> String;
}

/// The cache that an item holds. Each writer names its items in its own way.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cache {
    /// A document of the shared cache, such as `msal.cache.nocae`.
    Shared(String),
    /// The document of the Azure CLI.
    AzureCli(crate::azure_cli::Item),
}

/// An item of a keyring.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) struct Item {
    /// Identifies the item in its keyring.
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

/// The keyring where [`KeyringAccess::None`] is set.
#[cfg(target_os = "macos")]
#[derive(Debug)]
pub(crate) struct Closed;

#[cfg(target_os = "macos")]
impl Keyring for Closed {
    fn read(&self) -> Result<Option<Item>, KeyringError> {
        Err(KeyringError::Missing("there is no Keychain, because the options exclude it".to_owned()))
    }

    fn write(&self, _: &Item, _: &[u8]) -> Result<(), KeyringError> {
        self.read().map(drop)
    }

    fn place(&self) -> String {
        "item in the Keychain".to_owned()
    }
}

/// Why a keyring can't be used. The texts are parts of sentences and include a hint: "there is no
/// file …, and {}".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// This machine or this session has no keyring.
    #[error("{0}")]
    Missing(String),
    /// It has to be unlocked first.
    #[error("{0}")]
    Locked(String),
    /// It failed, or took too long.
    #[error("{0}")]
    Failed(String),
}

/// A keyring for tests.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[cfg(test)]
pub(crate) mod fake {
    use std::sync::{Arc, Mutex, MutexGuard};
    use std::time::Duration;

    use super::{Item, Keyring, KeyringError};

    /// A keyring in memory, shared by its clones.
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

        /// Makes every later call fail, or succeed again.
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
            // A real keyring's answer is slightly out of date when it arrives.
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
