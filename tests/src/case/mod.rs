//! A case as its folder describes it, independent of the runner.

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

/// Cache documents by name. A document without an entry does not exist.
pub type Documents = BTreeMap<String, Vec<u8>>;

/// A case.
#[derive(Debug, Clone)]
pub struct Case {
    /// The folder's name: a sentence with dashes.
    pub name: String,
    /// The rule that the case shows.
    pub about: String,
    /// The options of the one credential.
    pub options: Options,
    /// The host's settings.
    pub settings: Settings,
    /// The documents at the start.
    pub before: Documents,
    /// The documents after the calls that were written. Other documents must not be written.
    pub after: Documents,
    /// The calls, one after the other.
    pub calls: Vec<Call>,
    /// The exchanges with token endpoints, in this exact order. Other requests are problems.
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
    /// Whether the call enables Continuous Access Evaluation.
    pub enable_cae: bool,
    /// How many seconds the token has to live at least.
    pub min_validity: Option<u32>,
    /// The expected outcome.
    pub expected: Expected,
}

/// The expected outcome of a call.
#[derive(Debug, Clone)]
pub enum Expected {
    /// Exactly this token.
    Token(ExpectedToken),
    /// An error like this.
    Error(ExpectedError),
}

/// The outcome of a call, from any runner. If the credential can't be made, each call has that
/// error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A token.
    Token {
        /// The token itself.
        token: String,
        /// When it expires.
        expires_on: u64,
        /// When to refresh it.
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
        /// The authority's error.
        oauth: Option<OAuth>,
    },
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request, with every field of its form.
    pub request: ExpectedRequest,
    /// The answer.
    pub reply: ScriptedReply,
}

/// A response of a token endpoint.
#[derive(Debug, Clone)]
pub enum ScriptedReply {
    /// A response.
    Response {
        /// The HTTP status code.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// No response: the server closes the connection.
    Unreachable,
}
