//! Instances of the component for one source of a credential.

use std::sync::{Arc, Mutex, PoisonError};

use shared_token_cache_storage::Store;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::released::Released;
use super::{Call, examine};
use crate::error::{CachedAccount, Error, LimitExceeded};
use crate::options::CredentialOptions;
use crate::sandbox::{Context, Instance, Issued, LoadedComponent, NotIssued};

pub(super) struct Pool {
    component: LoadedComponent,
    context: Arc<Context>,
    options: CredentialOptions,
    idle: Mutex<Idle>,
    /// Bounds the number of instances, and so the memory: each call uses one instance, which holds
    /// the document. Equal calls share a call by single flight.
    places: Semaphore,
    released: Released,
    /// The text of [`examine::place`].
    place: Arc<str>,
    /// The fingerprint of the last token's account.
    account: Mutex<Option<String>>,
}

#[derive(Default)]
struct Idle {
    /// The last used on top: it has the newest version of the document.
    instances: Vec<Instance>,
    /// The number of times the pool was closed. An instance that was in use at the time is dropped
    /// after its call.
    closed: u64,
}

impl Pool {
    pub(super) fn new(component: LoadedComponent, context: Arc<Context>, options: CredentialOptions) -> Self {
        let places = Semaphore::new(context.policy.limits().instances);
        let place = examine::place(&context, &options);
        Self {
            component,
            context,
            options,
            idle: Mutex::default(),
            places,
            released: Released::default(),
            place,
            account: Mutex::default(),
        }
    }

    /// Another pool for the same source, which shares nothing that calls change but the vault.
    pub(super) fn apart(&self) -> Self {
        Self::new(self.component.clone(), Arc::new(self.context.apart()), self.options.clone())
    }

    /// The kept token of an equal call, if the component would release it again. Needs one look at
    /// the file, and no instance.
    pub(super) fn released(&self, call: &Call) -> Option<Arc<Issued>> {
        let (issued, version) = self.released.get(call, self.context.clock.now(), || self.store())?;
        self.context.seen.at(&version);
        Some(issued)
    }

    /// A token from the component.
    pub(super) async fn get_token(&self, call: &Call) -> Result<Arc<Issued>, NotIssued> {
        let began = (self.context.clock.now(), self.released.closed());
        let Call { scopes, request } = call;
        let answer = self.with_instance(async |instance| instance.get_token(scopes, request).await).await;
        if !request.enable_cae {
            self.released.keep_only(answer.as_ref().ok().and_then(|issued| issued.version.as_deref()));
        }
        let issued = Arc::new(answer?);
        *self.account.lock().unwrap_or_else(PoisonError::into_inner) = Some(issued.account.clone());
        self.released.put(call, &issued, began, || self.store().filter(|store| !store.may_move()));
        Ok(issued)
    }

    /// The store of the document for calls without Continuous Access Evaluation.
    fn store(&self) -> Option<Arc<dyn Store>> {
        examine::store(self, false).ok().map(Arc::from)
    }

    pub(super) async fn accounts(&self, enable_cae: bool) -> Result<Vec<CachedAccount>, Error> {
        self.with_instance(async |instance| instance.accounts(enable_cae).await).await
    }

    /// The fingerprint of the last token's account.
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

    /// Drops the instances with their state. The last one closes the idle connections.
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

    /// Drops the instances that no call uses, with their documents.
    pub(super) fn drop_idle(&self) {
        // Outside of the lock, because zeroizing documents takes a while.
        let idle = std::mem::take(&mut self.lock().instances);
        drop(idle);
    }

    /// Runs a call on an instance. The instance is reused unless the call trapped, timed out,
    /// returned a forbidden result, or was abandoned by its caller.
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
            None => Instance::new(self.component.clone(), Arc::clone(&self.context), &self.options).await?,
        };
        let result = call(&mut instance).await;
        let broken = matches!(result.as_ref().map_err(AsRef::as_ref), Err(Error::Component(_) | Error::Limit(_)));
        if !broken && !instance.is_tainted() {
            let mut idle = self.lock();
            if idle.closed == closed {
                idle.instances.push(instance);
            }
        }
        result
    }

    /// Waits for a permit, at most the time limit of a call.
    async fn turn(&self) -> Result<Option<SemaphorePermit<'_>>, Error> {
        let limits = self.context.policy.limits();
        match tokio::time::timeout(limits.call_time, self.places.acquire()).await {
            // The semaphore is never closed.
            Ok(place) => Ok(place.ok()),
            Err(_) => {
                let what = format!(
                    "{} calls ran at the same time, and none of them ended within the time limit of this one",
                    limits.instances
                );
                Err(Error::Limit(LimitExceeded::new("limits.instances", &what)))
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
