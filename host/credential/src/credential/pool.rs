//! Instances of the component for one source of a credential.

use std::sync::{Arc, Mutex, PoisonError};

use shared_token_cache_storage::Store;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::released::Released;
use super::{Call, examine};
use crate::error::{CachedAccount, Error, LimitExceeded};
use crate::options::CredentialOptions;
use crate::sandbox::{Context, Instance, Issued, NotIssued, Plugin};

pub(super) struct Pool {
    plugin: Plugin,
    context: Arc<Context>,
    options: CredentialOptions,
    idle: Mutex<Idle>,
    /// A call needs an instance for itself, and an instance holds the cache document, so these also bound memory; calls that ask for
    /// the same share one anyway.
    places: Semaphore,
    released: Released,
    /// What [`examine::place`] tells of it.
    place: Arc<str>,
    /// The fingerprint of the account whose token was given last.
    account: Mutex<Option<String>>,
}

#[derive(Default)]
struct Idle {
    /// The last used on top: it knows the newest version of the document.
    instances: Vec<Instance>,
    /// How often the pool was closed. An instance that was out at the time does not come back.
    closed: u64,
}

impl Pool {
    pub(super) fn new(plugin: Plugin, context: Arc<Context>, options: CredentialOptions) -> Self {
        let places = Semaphore::new(context.policy.limits().instances);
        let place = examine::place(&context, &options);
        Self {
            plugin,
            context,
            options,
            idle: Mutex::default(),
            places,
            released: Released::default(),
            place,
            account: Mutex::default(),
        }
    }

    /// The token of an equal call that the component would release again. One look at the file, and no instance.
    pub(super) fn released(&self, call: &Call) -> Option<Arc<Issued>> {
        let (issued, version) = self.released.get(call, self.context.clock.now(), || self.store())?;
        self.context.seen.at(&version);
        Some(issued)
    }

    /// A token of the component.
    pub(super) async fn get_token(&self, call: &Call) -> Result<Arc<Issued>, NotIssued> {
        let began = (self.context.clock.now(), self.released.closed());
        let Call { scopes, request } = call;
        let issued = self.with_instance(async |instance| instance.get_token(scopes, request).await).await?;
        let issued = Arc::new(issued);
        *self.account.lock().unwrap_or_else(PoisonError::into_inner) = Some(issued.account.clone());
        self.released.put(call, &issued, began, || self.store().filter(|store| !store.may_move()));
        Ok(issued)
    }

    /// Where the document lies that calls without Continuous Access Evaluation are for.
    fn store(&self) -> Option<Arc<dyn Store>> {
        examine::store(self, false).ok().map(Arc::from)
    }

    pub(super) async fn accounts(&self, enable_cae: bool) -> Result<Vec<CachedAccount>, Error> {
        self.with_instance(async |instance| instance.accounts(enable_cae).await).await
    }

    /// The fingerprint of the account whose token was given last.
    pub(super) fn account(&self) -> Option<String> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn place(&self) -> &Arc<str> {
        &self.place
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn shared_context(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }

    pub(super) fn options(&self) -> &CredentialOptions {
        &self.options
    }

    pub(super) async fn supported(&self) -> Result<bool, Error> {
        self.with_instance(Instance::supported).await
    }

    /// Drops the instances with all that they keep. The last one closes the connections on its way out.
    pub(super) async fn close(&self) -> Result<(), Error> {
        self.released.close();
        let idle = {
            let mut idle = self.lock();
            idle.closed += 1;
            std::mem::take(&mut idle.instances)
        };
        if idle.is_empty() {
            self.context.transport.close_idle_connections();
        }
        for mut instance in idle {
            instance.close().await?;
        }
        Ok(())
    }

    /// Drops the instances that no call uses, with the documents in them.
    pub(super) fn drop_idle(&self) {
        // Outside of the lock: documents are wiped, which takes a while.
        let idle = std::mem::take(&mut self.lock().instances);
        drop(idle);
    }

    /// Runs a call on an instance of its own. The instance goes back only after a call that left it whole: one that trapped, ran
    /// out of time, tried to return what it may not, or was abandoned by its caller, is dropped.
    async fn with_instance<T, E: From<Error> + AsRef<Error>>(
        &self,
        call: impl AsyncFnOnce(&mut Instance) -> Result<T, E>,
    ) -> Result<T, E> {
        let _turn = self.turn().await?;
        let (instance, closed) = {
            let mut idle = self.lock();
            (idle.instances.pop(), idle.closed)
        };
        let mut instance = match instance {
            Some(instance) => instance,
            None => Instance::new(self.plugin.clone(), Arc::clone(&self.context), &self.options).await?,
        };
        let result = call(&mut instance).await;
        let broken = matches!(result.as_ref().map_err(AsRef::as_ref), Err(Error::Plugin(_) | Error::Limit(_)));
        if !broken && !instance.is_spoilt() {
            let mut idle = self.lock();
            if idle.closed == closed {
                idle.instances.push(instance);
            }
        }
        result
    }

    /// Waits for a place, no longer than a call may take.
    async fn turn(&self) -> Result<Option<SemaphorePermit<'_>>, Error> {
        let limits = self.context.policy.limits();
        match tokio::time::timeout(limits.call_time, self.places.acquire()).await {
            // The semaphore is never closed.
            Ok(place) => Ok(place.ok()),
            Err(_) => {
                let what =
                    format!("{} calls run at the same time, and none ended in time for this one", limits.instances);
                Err(Error::Limit(LimitExceeded::new("limits.instances", &what)))
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
