//! Shared by the hostile components: the bindings of the world `plugin`, and helpers.
//!
//! Each file in `examples/` is one component that tries one thing. It implements [`Attempt`] and
//! exports itself with [`attempt!`]. It returns the import's refusal as the text of an
//! invalid-argument error, or the call itself is refused.

mod cache;
mod form;
mod wrapper;

/// The contract, as generated from `wit/`.
#[allow(missing_docs, unreachable_pub, unused_qualifications, unsafe_code, reason = "generated code")]
pub mod wit {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "plugin",
        pub_export_macro: true,
        default_bindings_module: "hostile::wit",
    });

    pub use self::azure_identity::shared_token_cache::{cache_file, clock, https, log};
    pub use self::exports::azure_identity::shared_token_cache::{credential, tokens};
}

pub use cache::{Cache, DOCUMENT, SCOPE, cache};
pub use form::{CLAIMS, ENDPOINT, Form, form, post, redeem};
pub use wit::credential::{AccessToken, Account, CachedAccount, Error, TokenRequestOptions};
pub use wrapper::Component;

/// The result of a call for a token.
pub type Answer = Result<AccessToken, Error>;

/// A call for a token.
pub struct Call {
    /// The arguments of the caller.
    pub scopes: Vec<String>,
    /// 1 for the first call of an instance.
    pub number: u32,
}

/// An attempt of a hostile component.
pub trait Attempt: 'static {
    /// Called for a token.
    fn get_token(call: &Call) -> Answer;

    /// Called when the credential is made.
    fn create() {}

    /// Called for the accounts.
    fn accounts() -> Result<Vec<CachedAccount>, Error> {
        Ok(Vec::new())
    }

    /// Called before anything else by a caller that checks whether the platform is supported.
    fn supported() -> bool {
        true
    }

    /// Called when the credential is closed.
    fn close() {}
}

/// Exports an [`Attempt`] as a component.
#[macro_export]
macro_rules! attempt {
    ($attempt:ident) => {
        #[allow(unsafe_code, reason = "the macro defines the functions that the component exports")]
        mod exported {
            type Exported = $crate::Component<super::$attempt>;
            $crate::wit::export!(Exported with_types_in $crate::wit);
        }
    };
}

/// Returns `token` with a lifetime of an hour.
pub fn token(token: &str) -> Answer {
    Ok(AccessToken {
        token: token.to_owned(),
        expires_on: wit::clock::now() + 3600,
        refresh_on: None,
        token_type: "Bearer".into(),
    })
}

/// Returns a result to the caller, as an error.
pub fn report(outcome: impl std::fmt::Debug) -> Answer {
    tell_all([outcome])
}

/// Returns the result of each try to the caller, a line for each.
pub fn tell_all<T: std::fmt::Debug>(outcomes: impl IntoIterator<Item = T>) -> Answer {
    let lines: Vec<String> = outcomes.into_iter().map(|outcome| format!("{outcome:?}")).collect();
    Err(Error::InvalidArgument(lines.join("\n")))
}

/// An endless loop.
pub fn spin() -> ! {
    loop {
        std::hint::black_box(());
    }
}
