//! The Secret Service of the freedesktop.org specification, as GNOME Keyring, KWallet and KeePassXC
//! offer it over D-Bus.
//!
//! This module unlocks and creates nothing, so no daemon has a reason to open a window.

mod bus;
mod item;
mod reason;

use std::cell::Cell;
use std::time::Duration;

use secret_service::{EncryptionType, SecretService as Service};

use self::bus::Bus;
use self::item::Found;
use self::reason::{Asked, Reasons};
use crate::encoding;
use crate::keyring::{Cache, Item, Keyring};
use crate::{KeyringAccess, KeyringError};

/// The timeout of an operation. One takes some milliseconds; a daemon that takes this long is
/// broken, or waits for the user.
const PATIENCE: Duration = Duration::from_secs(2);

/// The item of one cache in the Secret Service.
#[derive(Debug)]
pub(crate) struct SecretService {
    access: KeyringAccess,
    cache: Cache,
}

impl SecretService {
    pub(crate) fn new(access: &KeyringAccess, cache: Cache) -> Self {
        Self { access: access.clone(), cache }
    }

    /// Runs an operation on this thread, with a timeout.
    fn within_patience<T>(&self, operation: impl AsyncFnOnce(&Operation<'_>) -> Answer<T>) -> Result<T, KeyringError> {
        let bus = bus::find(&self.access, |name| std::env::var_os(name))?;
        let reasons = Reasons { bus: bus.to_string(), place: self.place() };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| reasons.failed(&error))?;
        let running = Operation { bus, cache: &self.cache, reasons: &reasons, asked: Cell::new(Asked::Bus) };
        let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE, operation(&running)).await });
        // Resolving a bus's host name cannot be cancelled, so the thread is left behind.
        runtime.shutdown_background();
        match outcome {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(Refusal::Explained(error))) => Err(error),
            Ok(Err(Refusal::Error(error))) => Err(reasons.of(&error)),
            Err(_) => Err(reasons.no_answer(running.asked.get(), PATIENCE)),
        }
    }
}

impl Keyring for SecretService {
    fn read(&self) -> Result<Option<Item>, KeyringError> {
        self.within_patience(async |operation| operation.read().await)
    }

    fn write(&self, item: &Item, document: &[u8]) -> Result<(), KeyringError> {
        self.within_patience(async |operation| operation.write(item, document).await)
    }

    fn place(&self) -> String {
        let name = match &self.cache {
            Cache::Shared(document) => document.clone(),
            Cache::AzureCli(item) => item.to_string(),
        };
        format!("item {name} in the keyring (Secret Service)")
    }
}

/// Why an operation ends early.
enum Refusal {
    Explained(KeyringError),
    Error(secret_service::Error),
}

type Answer<T> = Result<T, Refusal>;

impl<E: Into<secret_service::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// One operation on the way.
struct Operation<'a> {
    bus: Bus,
    cache: &'a Cache,
    reasons: &'a Reasons,
    /// The peer whose answer is awaited.
    asked: Cell<Asked>,
}

impl Operation<'_> {
    async fn read(&self) -> Answer<Option<Item>> {
        let service = self.connect().await?;
        match item::find(&service, self.cache).await? {
            Some(Found { locked: true, .. }) => Err(Refusal::Explained(self.reasons.locked_item())),
            Some(Found { item, .. }) => {
                let (document, base64) = encoding::decode(item.get_secret().await?);
                Ok(Some(Item { id: item.item_path.to_string(), document, base64 }))
            }
            None => self.may_have_no_item(&service).await.map(|()| None),
        }
    }

    async fn write(&self, item: &Item, document: &[u8]) -> Answer<()> {
        let service = self.connect().await?;
        // Daemons reuse the path of a deleted item, so the item at this path may now be another
        // one.
        let found = item::find(&service, self.cache).await?;
        let Some(Found { item: target, locked, .. }) = found.filter(|found| found.item.item_path.as_str() == item.id)
        else {
            return Err(Refusal::Explained(self.reasons.vanished()));
        };
        if locked {
            return Err(Refusal::Explained(self.reasons.locked_item()));
        }
        let content_type = target.get_secret_content_type().await?;
        Ok(target.set_secret(&encoding::encode(document, item.base64), &content_type).await?)
    }

    async fn connect(&self) -> Answer<Service<'static>> {
        let connection = self.bus.connect().await.map_err(|error| Refusal::Explained(self.reasons.no_bus(&error)))?;
        self.asked.set(Asked::Keyring);
        Ok(Service::connect_with_existing(EncryptionType::Dh, connection).await?)
    }

    /// Reports that there is no item only for an unlocked keyring. In one that was never unlocked
    /// in this session, daemons do not say whose the items are.
    async fn may_have_no_item(&self, service: &Service<'_>) -> Answer<()> {
        let collection = match service.get_default_collection().await {
            Ok(collection) => collection,
            Err(secret_service::Error::NoResult) => return Err(Refusal::Explained(self.reasons.no_collection())),
            Err(error) => return Err(error.into()),
        };
        if collection.is_locked().await? {
            let label = collection.get_label().await.unwrap_or_default();
            return Err(Refusal::Explained(self.reasons.locked_collection(&label)));
        }
        Ok(())
    }
}
