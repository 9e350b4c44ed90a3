//! A case as it is in its folder. Nothing here knows what it runs on.

mod check;
mod format;
mod load;
mod secrets;

use std::collections::BTreeMap;

pub use check::Recorded;
pub use format::{
    CachePersistenceOptions, Candidate, ExpectedError, ExpectedRequest, ExpectedToken, OAuth, Options, Settings,
};
pub use load::{Loaded, load_all};
pub use secrets::Unspoken;

/// Cache documents by name. A name that is missing is a document that does not exist.
pub type Documents = BTreeMap<String, Vec<u8>>;

/// A case.
#[derive(Debug, Clone)]
pub struct Case {
    /// The folder's name: a sentence with dashes.
    pub name: String,
    /// Which rule the case shows.
    pub about: String,
    /// The options of the credential, which is made once.
    pub options: Options,
    /// The host's settings.
    pub settings: Settings,
    /// The documents at the start.
    pub before: Documents,
    /// The documents that a write leaves behind. Those not named here must not be written.
    pub after: Documents,
    /// The calls, one after the other.
    pub calls: Vec<Call>,
    /// The exchanges with token endpoints: these, in this order, and no others.
    pub traffic: Vec<Exchange>,
}

/// One call of `get-token`.
#[derive(Debug, Clone)]
pub struct Call {
    /// The time of the call.
    pub now: u64,
    /// Documents that another program replaces before the call.
    pub replaced_before: Documents,
    /// Whether the credential is closed before the call.
    pub close_before: bool,
    /// The scopes.
    pub scopes: Vec<String>,
    /// The claims.
    pub claims: Option<String>,
    /// The tenant.
    pub tenant_id: Option<String>,
    /// Whether Continuous Access Evaluation is asked for.
    pub enable_cae: bool,
    /// What has to come of it.
    pub expected: Expected,
}

/// What has to come of a call.
#[derive(Debug, Clone)]
pub enum Expected {
    /// Exactly this token.
    Token(ExpectedToken),
    /// An error like this.
    Error(ExpectedError),
}

/// What came of a call, whoever ran it. A credential that can't be made is an error of each of its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A token.
    Token {
        /// The token itself.
        token: String,
        /// When it expires.
        expires_on: u64,
        /// When to replace it.
        refresh_on: Option<u64>,
        /// Its type.
        token_type: String,
    },
    /// An error.
    Error {
        /// The variant's name in the contract, for example `credential-unavailable`.
        kind: String,
        /// The reason's name in the contract, for the variants that have one.
        reason: Option<String>,
        /// The text.
        message: String,
        /// The accounts to choose from.
        candidates: Vec<Candidate>,
        /// What the authority said.
        oauth: Option<OAuth>,
    },
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request, every field of its form included.
    pub request: ExpectedRequest,
    /// The answer.
    pub reply: ScriptedReply,
}

/// What a token endpoint answers.
#[derive(Debug, Clone)]
pub enum ScriptedReply {
    /// A response.
    Response {
        /// The HTTP status code.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// None: the connection is closed.
    Unreachable,
}
