use std::sync::Arc;

use shared_token_cache_vault::{Origin, Request};
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::Plugin;
use super::state::{Context, State};
use super::wit::Plugin as Exports;
use super::wit::credential::{self as wit, GuestSharedTokenCacheCredential as Methods};
use crate::access_token::AccessToken;
use crate::audit::fingerprint;
use crate::credential::{CredentialOptions, TokenRequestOptions};
use crate::error::{CachedAccount, Error};
use crate::imports::BORDER;

/// A running component with one credential in it. A call that fails in the component, not in the credential, leaves it unusable.
pub(crate) struct Instance {
    plugin: Plugin,
    store: Store<State>,
    exports: Exports,
    credential: ResourceAny,
}

/// A token for a caller, and what the vault knows of it.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) token: AccessToken,
    /// The account's fingerprint.
    pub(crate) account: String,
    pub(crate) tenant: String,
    pub(crate) origin: Origin,
}

impl Instance {
    pub(crate) async fn new(plugin: Plugin, context: Arc<Context>, options: &CredentialOptions) -> Result<Self, Error> {
        let call_time = context.policy.get_limits().call_time;
        let mut store = Store::new(plugin.pre.engine(), State::new(context));
        store.limiter(State::limiter);
        // At each tick the component lets others run, which is when its time limit is looked at.
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);

        let running = plugin.ticker.run();
        let made = tokio::time::timeout(call_time, async {
            let exports = plugin.pre.instantiate_async(&mut store).await?;
            let credential = exports
                .azure_identity_shared_token_cache_credential()
                .shared_token_cache_credential()
                .call_create(&mut store, &options.into())
                .await?;
            wasmtime::Result::Ok((exports, credential))
        })
        .await;
        drop(running);
        let (exports, credential) = settle(made, &store)?;
        Ok(Self { plugin, store, exports, credential: credential? })
    }

    pub(crate) async fn get_token(
        &mut self,
        scopes: &[String],
        request: &TokenRequestOptions,
    ) -> Result<Issued, Error> {
        self.store.data_mut().session.begin(&Request {
            scopes,
            tenant_id: request.tenant_id.as_deref(),
            claims: request.claims.as_deref(),
            enable_cae: request.enable_cae,
        });
        let options = request.into();
        let answer = self
            .call(scopes, async |methods, store, credential| {
                methods.call_get_token(store, credential, scopes, Some(&options)).await
            })
            .await;
        let state = self.store.data_mut();
        let token = match answer {
            Ok(Ok(token)) => open(token, state),
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(error),
        };
        state.session.end();
        token
    }

    pub(crate) async fn accounts(&mut self, enable_cae: bool) -> Result<Vec<CachedAccount>, Error> {
        let accounts = self
            .call(&[], async |methods, store, credential| methods.call_accounts(store, credential, enable_cae).await)
            .await??;
        Ok(accounts.into_iter().map(Into::into).collect())
    }

    pub(crate) async fn close(&mut self) -> Result<(), Error> {
        let closed =
            self.call(&[], async |methods, store, credential| methods.call_close(store, credential).await).await;
        self.store.data_mut().session.forget();
        closed
    }

    /// Whether the platform has a shared cache, asked of the component.
    pub(crate) async fn supported(&mut self) -> Result<bool, Error> {
        self.call(&[], async |methods, store, _| methods.call_supported(store).await).await
    }

    /// The kind of what the component was denied last in the last call.
    pub(crate) fn denied(&self) -> Option<&'static str> {
        self.store.data().denials.last()
    }

    /// One call, held to its limits.
    async fn call<T>(
        &mut self,
        scopes: &[String],
        call: impl AsyncFnOnce(&Methods<'_>, &mut Store<State>, ResourceAny) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        let state = self.store.data_mut();
        state.logged = 0;
        state.denials.begin(scopes);
        self.store.set_epoch_deadline(1);
        let limit = self.store.data().context.policy.get_limits().call_time;
        let methods = self.exports.azure_identity_shared_token_cache_credential().shared_token_cache_credential();
        let running = self.plugin.ticker.run();
        let result = tokio::time::timeout(limit, call(&methods, &mut self.store, self.credential)).await;
        drop(running);
        self.store.data_mut().turn = None;
        settle(result, &self.store)
    }
}

/// The token behind the handle that the component returns.
fn open(token: wit::AccessToken, state: &mut State) -> Result<Issued, Error> {
    let opened = state.session.open_result(&token.token, state.context.clock.now()).map_err(|refused| {
        tracing::warn!(target: BORDER, "the component's answer is kept back: {refused}");
        let why = state.denials.refused(&refused);
        state.denied("result");
        Error::Denied(format!("what the component returned is kept back: {why}"))
    })?;
    let access_token = AccessToken {
        token: opened.token.into_inner().into(),
        expires_on: token.expires_on.min(opened.expires_on),
        refresh_on: token.refresh_on,
        token_type: "Bearer".into(),
    };
    let account = fingerprint(&opened.home_account_id);
    Ok(Issued { token: access_token, account, tenant: opened.tenant, origin: opened.origin })
}

/// What the component made of a call, unless it broke, ran out of memory, or took too long.
fn settle<T>(
    result: Result<wasmtime::Result<T>, tokio::time::error::Elapsed>,
    store: &Store<State>,
) -> Result<T, Error> {
    let limits = store.data().context.policy.get_limits();
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) if store.data().is_out_of_memory() => Err(Error::Limit(format!(
            "the component needs more than {} MiB of memory (`limits.guest-memory-mib`); is the cache very large?",
            limits.guest_memory >> 20
        ))),
        Ok(Err(error)) => Err(Error::plugin(error)),
        Err(_) => Err(Error::Limit(format!(
            "the call took more than {} s (`limits.call-seconds`) and was stopped",
            limits.call_time.as_secs_f32()
        ))),
    }
}
