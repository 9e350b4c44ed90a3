use std::cell::RefCell;

use shared_token_cache_core::{Credential, Options, Platform as _};

use crate::Component;
use crate::host::Host;
use crate::wit::credential::{Options as WitOptions, TokenRequestOptions};
use crate::wit::tokens::{AccessToken, Error, Guest};

thread_local! {
    /// The last call's credential and options. A host that reuses the instance does not parse the
    /// cache again.
    static LAST: RefCell<Option<(Options, Credential)>> = const { RefCell::new(None) };
}

impl Guest for Component {
    fn get_token(
        scopes: Vec<String>,
        request: Option<TokenRequestOptions>,
        credential: Option<WitOptions>,
    ) -> Result<AccessToken, Error> {
        let options: Options = credential.map(Into::into).unwrap_or_default();
        let request = request.map(Into::into).unwrap_or_default();
        LAST.with_borrow_mut(|last| {
            let mut credential = match last.take() {
                Some((known, credential)) if known == options => credential,
                _ => Credential::new(options.clone())?,
            };
            let result = credential.get_token(&mut Host, &scopes, &request);
            *last = Some((options, credential));
            Ok(result?.into())
        })
    }

    fn supported() -> bool {
        Host.shared_cache_supported()
    }

    fn close() {
        if let Some((_, mut credential)) = LAST.take() {
            credential.close(&mut Host);
        }
    }
}
