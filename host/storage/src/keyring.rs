//! What the keyrings of the platforms have in common.

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

/// An item of a keyring.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) struct Item {
    /// What names it to its keyring.
    pub(crate) id: String,
    /// The document in it, decoded.
    pub(crate) document: Vec<u8>,
    /// Whether it holds the document in base64.
    pub(crate) base64: bool,
}

/// Why a keyring can't be used.
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
