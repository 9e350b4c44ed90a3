use std::mem;
use std::sync::Arc;

use shared_token_cache_entra::token::BEARER;
use shared_token_cache_vault::{Origin, Refused, Request};
use tokio::time::error::Elapsed;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::BORDER;
use super::LoadedComponent;
use super::answer::Answer;
use super::convert;
use super::own_writes;
use super::state::{CallState, Context, State};
use super::wit::Plugin as Exports;
use super::wit::credential::{self as wit, GuestSharedTokenCacheCredential as Methods};
use crate::access_token::AccessToken;
use crate::audit::fingerprint;
use crate::error::{Account, CachedAccount, Error, LimitExceeded};
use crate::options::{CredentialOptions, TokenRequestOptions};

/// The size limit of a call's arguments besides a document, in bytes. A form has at most 256 KiB.
const BESIDE_A_DOCUMENT: usize = 1 << 20;

/// A running component with one credential. A trap or a limit makes it unusable; an error of the
/// credential does not.
pub(crate) struct Instance {
    component: LoadedComponent,
    store: Store<State>,
    exports: Exports,
    credential: ResourceAny,
    /// The component returned a forbidden result. The cause may still be in its memory.
    tainted: bool,
}

/// A new instance, and the component's reply to the creation of a credential.
struct Made {
    exports: Exports,
    credential: Result<ResourceAny, wit::Error>,
}

impl Answer for Made {
    fn size(&self) -> usize {
        self.credential.size()
    }
}

/// A token for a caller, with the vault's facts about it.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) token: AccessToken,
    /// The account's fingerprint.
    pub(crate) account: String,
    pub(crate) tenant: String,
    pub(crate) origin: Origin,
    /// The document's version that the component read for this call.
    pub(crate) version: Option<Box<str>>,
}

/// The error of a call without a token.
pub(crate) struct NotIssued {
    pub(crate) error: Error,
    /// The kind of the last denial to the component.
    pub(crate) denied: Option<&'static str>,
}

impl AsRef<Error> for NotIssued {
    fn as_ref(&self) -> &Error {
        &self.error
    }
}

impl From<Error> for NotIssued {
    fn from(error: Error) -> Self {
        Self { error, denied: None }
    }
}

impl Instance {
    pub(crate) async fn new(
        component: LoadedComponent,
        context: Arc<Context>,
        options: &CredentialOptions,
    ) -> Result<Self, Error> {
        let (call_time, document_size) = (context.policy.limits().call_time, context.policy.limits().document_size);
        let mut store = Store::new(component.pre.engine(), State::new(context));
        store.limiter(|state| &mut state.limiter);
        // The component's arguments are copied into the host's memory, and a list may contain the
        // same text many times.
        let largest = usize::try_from(document_size).unwrap_or(usize::MAX);
        store.set_hostcall_fuel(largest.saturating_add(BESIDE_A_DOCUMENT));
        // At each tick the component yields, so that its time limit is checked.
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);

        let running = component.ticker.run();
        let made = tokio::time::timeout(call_time, async {
            let exports = component.pre.instantiate_async(&mut store).await?;
            let credential = exports
                .azure_identity_shared_token_cache_credential()
                .shared_token_cache_credential()
                .call_create(&mut store, &options.into())
                .await?;
            wasmtime::Result::Ok(Made { exports, credential })
        })
        .await;
        drop(running);
        let Made { exports, credential } = classify_outcome(made, store.data())?;
        let credential = credential.map_err(|error| store.data_mut().caller_error(error))?;
        store.data_mut().call = CallState::default();
        Ok(Self { component, store, exports, credential, tainted: false })
    }

    /// A token, or the error with the kind of the last denial to the component.
    pub(crate) async fn get_token(
        &mut self,
        scopes: &[String],
        request: &TokenRequestOptions,
    ) -> Result<Issued, NotIssued> {
        let state = self.store.data_mut();
        let allowed = state.session.begin(&Request {
            scopes,
            tenant_id: request.tenant_id.as_deref(),
            claims: request.claims.as_deref(),
            enable_cae: request.enable_cae,
            now: state.context.clock.now(),
        });
        allowed.map_err(Error::from)?;
        let options = request.into();
        let answer = self
            .call(scopes, async |methods, store, credential| {
                methods.call_get_token(store, credential, scopes, Some(&options)).await
            })
            .await;
        let state = self.store.data_mut();
        let token = match answer {
            Ok(Ok(token)) => {
                let opened = open(token, state);
                self.tainted |= opened.is_err();
                opened
            }
            Ok(Err(error)) => Err(state.caller_error(error)),
            Err(error) => Err(error),
        };
        state.session.end();
        let CallState { denials, written, .. } = mem::take(&mut state.call);
        if let Ok(issued) = &token {
            own_writes::note(written, &issued.account);
        }
        let denied = denials.last();
        token.map_err(|error| NotIssued { error, denied })
    }

    pub(crate) async fn accounts(&mut self, enable_cae: bool) -> Result<Vec<CachedAccount>, Error> {
        let accounts = self
            .call(&[], async |methods, store, credential| methods.call_accounts(store, credential, enable_cae).await)
            .await;
        let state = self.store.data_mut();
        let accounts = accounts.and_then(|accounts| accounts.map_err(|error| state.caller_error(error)));
        state.call = CallState::default();
        let mut accounts = convert::accounts(accounts?, &state.session.accounts());
        for cached in accounts.iter_mut().filter(|cached| cached.usable_refresh_tokens == 0) {
            let Account { username, home_tenant_id } = &cached.account;
            let home = home_tenant_id.as_deref();
            cached.hindrance = state.session.hindrance(enable_cae, username, home, &cached.environment);
        }
        accounts.extend(state.session.applications(enable_cae).into_iter().map(Into::into));
        Ok(accounts)
    }

    /// Whether the component returned a forbidden result, so that it must not be reused.
    pub(crate) fn is_tainted(&self) -> bool {
        self.tainted
    }

    pub(crate) async fn close(&mut self) -> Result<(), Error> {
        let closed =
            self.call(&[], async |methods, store, credential| methods.call_close(store, credential).await).await;
        let state = self.store.data_mut();
        state.session.forget();
        state.call = CallState::default();
        closed
    }

    /// Asks the component whether the platform has a shared cache.
    pub(crate) async fn supported(&mut self) -> Result<bool, Error> {
        let supported = self.call(&[], async |methods, store, _| methods.call_supported(store).await).await;
        self.store.data_mut().call = CallState::default();
        supported
    }

    /// Runs one call within its limits. The caller takes the call's state afterwards.
    async fn call<T: Answer>(
        &mut self,
        scopes: &[String],
        call: impl AsyncFnOnce(&Methods<'_>, &mut Store<State>, ResourceAny) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        self.store.data_mut().call = CallState::new(scopes);
        self.store.set_epoch_deadline(1);
        let limit = self.store.data().context.policy.limits().call_time;
        let methods = self.exports.azure_identity_shared_token_cache_credential().shared_token_cache_credential();
        let running = self.component.ticker.run();
        let result = tokio::time::timeout(limit, call(&methods, &mut self.store, self.credential)).await;
        drop(running);
        self.store.data_mut().call.turn = None;
        classify_outcome(result, self.store.data())
    }
}

/// Opens the handle that the component returned as the token.
fn open(token: wit::AccessToken, state: &mut State) -> Result<Issued, Error> {
    let opened = state.session.open_result(&token.token, state.context.clock.now()).map_err(|refused| {
        tracing::warn!(target: BORDER, "the component's result is withheld: {refused}");
        let denied = match refused {
            Refused::Denied(denied) => denied.into(),
            refused => {
                Error::denied(format!("the component's result is withheld: {}", state.call.denials.refused(&refused)))
            }
        };
        state.denied("result");
        denied
    })?;
    let access_token = AccessToken {
        token: opened.token,
        expires_on: token.expires_on.min(opened.expires_on),
        refresh_on: token.refresh_on,
        token_type: BEARER.into(),
    };
    let account = fingerprint(&opened.home_account_id);
    let version = state.session.version_of_call().map(Into::into);
    Ok(Issued { token: access_token, account, tenant: opened.tenant, origin: opened.origin, version })
}

/// The result of a call, or the error of the component or of a limit.
fn classify_outcome<T: Answer>(result: Result<wasmtime::Result<T>, Elapsed>, state: &State) -> Result<T, Error> {
    let limits = state.context.policy.limits();
    let exceeded = |field, what: &str| Err(Error::Limit(LimitExceeded::new(field, what)));
    match result {
        Ok(Ok(value)) if value.size() > limits.answer_size => {
            exceeded("limits.answer-mib", &format!("the component returned more than {} MiB", limits.answer_size >> 20))
        }
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(state.limiter.exceeded(&error).map_or_else(|| Error::component(error), Error::Limit)),
        Err(_) => {
            let seconds = limits.call_time.as_secs_f32();
            exceeded("limits.call-seconds", &format!("the call took more than {seconds} s and was stopped"))
        }
    }
}
