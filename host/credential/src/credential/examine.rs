//! What a person may want to know when tokens do not come.

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

/// For each source the place of its cache, as [`place`] tells it, and what was last seen there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sights(Vec<(Arc<str>, Option<Sight>)>);

impl SharedTokenCacheCredential {
    /// What a look at the place of each source's cache finds: whether a document is there, its protection, its lock. Nothing is
    /// changed, and no document is parsed. `enable_cae` says which of a source's two caches is looked at.
    pub async fn examine(&self, enable_cae: bool) -> Vec<(Source, Result<Examination, Error>)> {
        let mut found = Vec::new();
        for (source, pool) in &self.inner.sources {
            found.push((source.clone(), examine(pool, enable_cae).await));
        }
        found
    }

    /// What [`Self::cache_may_have_changed`] depends on besides the files: for equal ones one look will do. Looks at no file.
    pub(crate) fn sights(&self) -> Sights {
        let sights = self.inner.sources.iter().map(|(_, pool)| (Arc::clone(pool.place()), pool.context().seen.last()));
        Sights(sights.collect())
    }

    /// Whether another program may have changed a source's cache since the last call, by a sign-out say. A few looks at files'
    /// metadata.
    pub(crate) fn cache_may_have_changed(&self) -> bool {
        let changed = |pool: &Pool| store(pool, false).is_ok_and(|store| pool.context().seen.may_have_changed(&*store));
        self.inner.sources.iter().any(|(_, pool)| changed(pool))
    }

    /// Whether only this process has changed the cache since the last call, and only entries of other accounts than the one whose token
    /// was given last. Then that token stays the answer, and the cache counts as seen. A credential that names no account is for the only
    /// one there is, so every change matters to it.
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

    /// By how many seconds this machine's clock is ahead of the authority's, to the second or so; nothing where the authority answers
    /// without telling the time. It is asked without any secret.
    ///
    /// # Errors
    /// [`Error::Denied`] when the policy does not allow the authority or its address, [`Error::Limit`] when there were too many requests,
    /// [`Error::Unreachable`] when it does not answer.
    pub async fn clock_skew(&self) -> Result<Option<i64>, Error> {
        let (context, url) = self.authority()?;
        let date = context.transport.date(url).await?;
        Ok(date.map(|date| context.clock.now().cast_signed() - date.cast_signed()))
    }

    /// How the authority is reached. Nothing is sent.
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

/// All that a look at a source's cache depends on: the folders and keyrings, the source, the document's name, and the policy's rules for
/// the file. Texts tell these apart.
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

/// Where the document of a source lies.
pub(super) fn store(pool: &Pool, enable_cae: bool) -> Result<Box<dyn Store>, Error> {
    let document = document(pool, enable_cae)?;
    match stores::open(pool.context(), &document) {
        Ok((_, store)) => Ok(store),
        Err(Refused::Denied(denied)) => Err(denied.into()),
        Err(Refused::NoPlace(why)) => Err(Error::cache_unavailable(why)),
    }
}
