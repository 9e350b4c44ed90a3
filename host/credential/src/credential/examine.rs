//! Diagnosis: the state of each source's cache, and of the connection to the authority.

use std::sync::Arc;

use shared_token_cache_entra::tenant::ORGANIZATIONS;
use shared_token_cache_storage::{Examination, Store};
use tokio::task::spawn_blocking;
use url::Url;

use super::SharedTokenCacheCredential;
use super::no_source;
use super::pool::Pool;
use crate::clock::{Clock as _, SystemClock};
use crate::error::Error;
use crate::options::CredentialOptions;
use crate::sandbox::imports::stores::{self, Refused};
use crate::sandbox::{Context, Sight, follow};
use crate::transport::Connection;
use shared_token_cache_policy::{CacheName, Source};

/// For each source, the place of its cache from [`place`], and its last known state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sights(Vec<(Arc<str>, Option<Sight>)>);

impl SharedTokenCacheCredential {
    /// Examines the cache of each source: whether a document exists, its protection, its lock. It
    /// changes nothing and parses no document. `enable_cae` selects one of a source's two caches.
    pub async fn examine(&self, enable_cae: bool) -> Vec<(Source, Result<Examination, Error>)> {
        let mut found = Vec::new();
        for (source, pool) in &self.inner.sources {
            found.push((source.clone(), examine(pool, enable_cae).await));
        }
        found
    }

    /// The key of [`Self::cache_may_have_changed`], besides the files: credentials with equal keys
    /// can share a look. Reads no file.
    pub(crate) fn sights(&self) -> Sights {
        let sights = self.inner.sources.iter().map(|(_, pool)| (Arc::clone(pool.place()), pool.context().seen.last()));
        Sights(sights.collect())
    }

    /// Whether another program may have changed a source's cache since the last call, such as by a
    /// sign-out. Reads the metadata of a few files.
    pub(crate) fn cache_may_have_changed(&self) -> bool {
        let changed = |pool: &Pool| store(pool, false).is_ok_and(|store| pool.context().seen.may_have_changed(&*store));
        self.inner.sources.iter().any(|(_, pool)| changed(pool))
    }

    /// Whether only this process has changed the cache since the last call, and only entries of
    /// other accounts than that of the last token. That token is then still the answer, and the
    /// cache counts as read. A credential that names no account depends on the number of accounts,
    /// so every change matters to it.
    pub(crate) fn only_other_accounts_changed(&self) -> bool {
        let [(_, pool)] = self.inner.sources.as_slice() else { return false };
        let (options, seen) = (pool.options(), &pool.context().seen);
        let names_an_account = options.username.is_some() || options.authentication_record.is_some();
        let (Some(account), Some(Sight::Version(version))) = (pool.account().filter(|_| names_an_account), seen.last())
        else {
            return false;
        };
        let Ok(store) = store(pool, false) else { return false };
        let newest = follow(store.guarded(), &version, &account).filter(|newest| store.is_at(newest));
        newest.inspect(|newest| seen.at(newest)).is_some()
    }

    /// The time, as the component sees it.
    pub(crate) fn now(&self) -> u64 {
        self.inner.sources.first().map_or_else(|| SystemClock.now(), |(_, pool)| pool.context().clock.now())
    }

    /// The number of seconds by which this machine's clock is ahead of the authority's, to about
    /// one second; `None` if the reply has no date. The authority gets no secret.
    ///
    /// # Errors
    /// [`Error::Denied`] when the policy does not allow the authority or its address,
    /// [`Error::Limit`] when the rate limit is reached, [`Error::Unreachable`] when the authority
    /// does not answer.
    pub async fn clock_skew(&self) -> Result<Option<i64>, Error> {
        let (context, url) = self.authority()?;
        let date = context.transport.date(url).await?;
        Ok(date.map(|date| context.clock.now().cast_signed() - date.cast_signed()))
    }

    /// The connection to the authority: proxy and certificates. Sends nothing.
    ///
    /// # Errors
    /// [`Error::Denied`] when the policy does not allow the authority.
    pub fn connection(&self) -> Result<Connection, Error> {
        let (context, url) = self.authority()?;
        Ok(context.transport.connection(&url))
    }

    /// A token endpoint of the authority.
    fn authority(&self) -> Result<(&Context, Url), Error> {
        let (_, pool) = self.inner.sources.first().ok_or_else(no_source)?;
        let (context, options) = (pool.context(), pool.options());
        let host = options.authority.as_deref().unwrap_or(&context.settings.default_authority_host);
        let host = host.trim().trim_start_matches("https://").trim_end_matches('/');
        let url = format!("https://{host}/{ORGANIZATIONS}/oauth2/v2.0/token");
        let url = context.policy.token_endpoint(&url)?;
        Ok((context, url))
    }
}

async fn examine(pool: &Pool, enable_cae: bool) -> Result<Examination, Error> {
    let (store, context, document) = (store(pool, enable_cae)?, pool.shared_context(), document(pool, enable_cae)?);
    let examine = move || {
        let mut examination = store.examine();
        if !examination.found {
            examination.near = stores::near(&context, &document);
        }
        examination
    };
    spawn_blocking(examine).await.map_err(|error| Error::cache_unavailable(error.to_string()))
}

/// A text that is equal for equal places of a cache: it has the folders and keyrings, the source,
/// the document's name, and the policy's rules for the file.
pub(super) fn place(context: &Context, options: &CredentialOptions) -> Arc<str> {
    let name = named(options, false).unwrap_or_default();
    let (source, grant) = (&context.source, context.policy.grant(&context.source, &name).ok());
    format!("{:?} {source:?} {name:?} {grant:?} {}", context.places, context.policy.limits().document_size).into()
}

/// The name of a source's document.
fn document(pool: &Pool, enable_cae: bool) -> Result<String, Error> {
    named(pool.options(), enable_cae)
}

fn named(options: &CredentialOptions, enable_cae: bool) -> Result<String, Error> {
    let name = match options.cache_persistence_options.as_ref().and_then(|options| options.name.as_deref()) {
        Some(name) => CacheName::parse(name).map_err(|invalid| Error::InvalidArgument(invalid.into()))?,
        None => CacheName::default(),
    };
    Ok(name.document(enable_cae))
}

/// The store of a source's document.
pub(super) fn store(pool: &Pool, enable_cae: bool) -> Result<Box<dyn Store>, Error> {
    let document = document(pool, enable_cae)?;
    match stores::open(pool.context(), &document) {
        Ok((_, store)) => Ok(store),
        Err(Refused::Denied(denied)) => Err(denied.into()),
        Err(Refused::NoPlace(why)) => Err(Error::cache_unavailable(why)),
    }
}
