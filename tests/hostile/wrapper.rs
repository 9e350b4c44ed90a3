//! Makes a component from an attempt: all exports of the world, around the one attempt.

use std::cell::Cell;
use std::marker::PhantomData;

use crate::wit::log::{Level, write};
use crate::wit::{credential, tokens};
use crate::{Answer, Attempt, CachedAccount, Call, Error, TokenRequestOptions};

/// The component of an attempt.
pub struct Component<A>(PhantomData<A>);

/// Its credential.
pub struct Resource<A> {
    calls: Cell<u32>,
    attempt: PhantomData<A>,
}

impl<A: Attempt> credential::Guest for Component<A> {
    type SharedTokenCacheCredential = Resource<A>;
}

impl<A: Attempt> credential::GuestSharedTokenCacheCredential for Resource<A> {
    fn create(_: credential::Options) -> Result<credential::SharedTokenCacheCredential, Error> {
        A::create();
        Ok(credential::SharedTokenCacheCredential::new(Self { calls: Cell::new(0), attempt: PhantomData }))
    }

    fn get_token(&self, scopes: Vec<String>, _: Option<TokenRequestOptions>) -> Answer {
        let number = self.calls.get() + 1;
        self.calls.set(number);
        // The number of calls shows the tests whether an instance was reused.
        write(Level::Debug, &format!("call {number} of this instance"));
        A::get_token(&Call { scopes, number })
    }

    fn accounts(&self, _: bool) -> Result<Vec<CachedAccount>, Error> {
        A::accounts()
    }

    fn close(&self) {
        A::close();
    }

    fn supported() -> bool {
        A::supported()
    }
}

impl<A: Attempt> tokens::Guest for Component<A> {
    fn get_token(scopes: Vec<String>, _: Option<TokenRequestOptions>, _: Option<credential::Options>) -> Answer {
        A::get_token(&Call { scopes, number: 1 })
    }

    fn supported() -> bool {
        A::supported()
    }

    fn close() {
        A::close();
    }
}
