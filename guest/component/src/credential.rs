use std::cell::RefCell;

use shared_token_cache_core::{Credential, Platform as _};

use crate::Component;
use crate::host::Host;
use crate::wit::credential::{
    AccessToken, CachedAccount, Error, Guest, GuestSharedTokenCacheCredential, Options, SharedTokenCacheCredential,
    TokenRequestOptions,
};

impl Guest for Component {
    type SharedTokenCacheCredential = Resource;
}

/// The exported resource. A component runs one call at a time, so the cell is never borrowed twice.
pub(crate) struct Resource(RefCell<Credential>);

impl GuestSharedTokenCacheCredential for Resource {
    fn create(options: Options) -> Result<SharedTokenCacheCredential, Error> {
        let credential = Credential::new(options.into())?;
        Ok(SharedTokenCacheCredential::new(Self(RefCell::new(credential))))
    }

    fn get_token(&self, scopes: Vec<String>, options: Option<TokenRequestOptions>) -> Result<AccessToken, Error> {
        let options = options.map(Into::into).unwrap_or_default();
        let token = self.0.borrow_mut().get_token(&mut Host, &scopes, &options)?;
        Ok(token.into())
    }

    fn accounts(&self, enable_cae: bool) -> Result<Vec<CachedAccount>, Error> {
        let accounts = self.0.borrow_mut().accounts(&mut Host, enable_cae)?;
        Ok(accounts.into_iter().map(Into::into).collect())
    }

    fn close(&self) {
        self.0.borrow_mut().close(&mut Host);
    }

    fn supported() -> bool {
        Host.shared_cache_supported()
    }
}
