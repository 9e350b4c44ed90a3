use shared_token_cache_policy::Denied;

use crate::handle::Kind;

/// The reason why the vault refuses a request of the component. The text names places and kinds,
/// and quotes no content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// A document or a reply has more secrets or entries than any cache.
    #[error("the document has more entries than any token cache")]
    TooMany,
    /// The document exceeds the size limit.
    #[error("a document may have {largest} bytes, and this one has {size}")]
    TooLarge {
        /// Its size once it is opened.
        size: usize,
        /// The largest allowed.
        largest: usize,
    },

    /// The component replaces a version that it was not given, or one that the vault has dropped.
    /// It has to read again.
    #[error("the replaced version of the document is not the one that was read")]
    StaleDocument,
    /// The document to be replaced is damaged, and may hold content that only the user can restore.
    #[error("a damaged document is left as it is")]
    DamagedDocument,
    /// The new document is not a JSON object.
    #[error("the new document is not a JSON object")]
    NotAnObject,
    /// The value of a secret is not a handle.
    #[error("the new document has a secret that the component made up")]
    PlainSecret,
    /// The vault did not issue the handle, or has dropped it.
    #[error("the {0} is not a handle issued to this component")]
    UnknownHandle(Kind),
    /// A handle in an entry of another kind.
    #[error("an entry of another kind cannot hold the {0}")]
    WrongKind(Kind),
    /// A handle in another entry than its own.
    #[error("the {0} belongs to another entry")]
    WrongEntry(Kind),
    /// The entry's fields differ from the old ones, or from those of the reply.
    #[error("the new document changes the metadata of the {0}")]
    ChangedEntry(Kind),
    /// Account entries decide which account a caller means, so only sign-in tools may change them.
    #[error("the new document changes accounts")]
    ChangedAccounts,
    /// A refresh token is removed that the authority did not declare dead.
    #[error("the new document lacks a refresh token that the authority did not declare dead")]
    RemovedRefreshToken,
    /// The component changes something else: another section or entry, the order, a byte of white
    /// space.
    #[error("the new document changes {0}, which a component may not change")]
    ChangedElsewhere(&'static str),
    /// A new entry differs from MSAL's format.
    #[error("the new entry in {section} {why}")]
    NewEntry {
        /// The section.
        section: &'static str,
        /// The difference.
        why: &'static str,
    },
    /// A member is repeated, so readers could differ about the document.
    #[error("the new document repeats a member that it changes")]
    RepeatedMember,
    /// The removed entry is neither an expired access token of the account nor replaced by a new
    /// one.
    #[error("the new document lacks an entry of {0} that other tools may still need")]
    RemovedEntry(&'static str),
    /// No refresh token was redeemed in this call, so there is nothing to write.
    #[error("no refresh token was redeemed in this call, so there is nothing to write")]
    NothingRedeemed,
    /// The call has used up its writes, one for each redeemed refresh token, or its tries.
    #[error("the call has no write left")]
    TooManyWrites,
    /// A handle where the document holds no secret.
    #[error("the new document has a handle in a place without a secret")]
    HandleElsewhere,

    /// A form or a result outside of a call for a token.
    #[error("no call asks for a token")]
    NoCall,
    /// The field is not part of a refresh request.
    #[error("a refresh request has no field {0:?}")]
    UnknownField(String),
    /// A field is repeated.
    #[error("the form has the field {0:?} twice")]
    RepeatedField(&'static str),
    /// A field is missing.
    #[error("the form has no field {0:?}")]
    MissingField(&'static str),
    /// `claims` differ from those of the call.
    #[error("the form's claims are not those of the call")]
    WrongClaims,
    /// A handle is in another field than `refresh_token`, in a header field, or in the URL.
    #[error("a handle is in the {0} of a request")]
    HandleInRequest(&'static str),
    /// The grant type is not `refresh_token`.
    #[error("the form's grant type is not refresh_token")]
    WrongGrant,
    /// `refresh_token` is a handle of another kind.
    #[error("the form's refresh_token must be a refresh token, and this is the {0}")]
    WrongKindOfGrant(Kind),
    /// `refresh_token` is not a valid handle of a refresh token.
    #[error("the form's refresh_token is not a handle issued to this component")]
    NotARefreshToken,

    /// The result is not a handle.
    #[error("the result is a text that the component made up")]
    PlainResult,
    /// The result is a handle of another kind.
    #[error("the result must be an access token, and this is the {0}")]
    WrongKindOfResult(Kind),
    /// The component did not read the cache in this call, so its result may be out of date.
    #[error("the component did not read the cache in this call")]
    OutOfDate,
    /// The result is not a valid handle of an access token.
    #[error("the result is not a handle issued to this component")]
    NotAnAccessToken,
    /// The token belongs to another client.
    #[error("the {0} belongs to another client")]
    WrongClient(Kind),
    /// The token is of another cloud than the credential's, or than the request's host.
    #[error("the {0} belongs to another cloud")]
    WrongCloud(Kind),
    /// The token is of an account that the call does not select.
    #[error("the {0} belongs to an account that was not asked for")]
    WrongAccount(Kind),
    /// Several accounts fit the credential's options. The caller has to choose.
    #[error("several accounts fit, and the {0} belongs to one of them")]
    SeveralAccounts(Kind),
    /// The policy does not allow the token's account, tenant or client.
    #[error("{0}")]
    Denied(#[from] Denied),
    /// The token or the form is for another tenant than the call's.
    #[error("the {0} belongs to a tenant that was not asked for")]
    WrongTenant(Kind),
    /// The token does not cover the scopes of the call, or the form requests others.
    #[error("the scopes of the {0} are not those that were asked for")]
    WrongScopes(Kind),
    /// The token is in another cache than the call's.
    #[error("the {0} belongs to another cache")]
    WrongCache(Kind),
    /// The token has expired, or its expiry is unknown.
    #[error("the access token has expired")]
    Expired,
    /// The token contains white space, control characters or letters that are not ASCII, which a
    /// header field must not contain.
    #[error("the access token has other characters than visible ASCII")]
    MalformedToken,
    /// The token is not a bearer token, or is bound to a key or a user assertion.
    #[error("the access token is not a plain bearer token")]
    NotBearer,
    /// The token is of another agent session than the credential's, or of none; or a new entry says
    /// so.
    #[error("the access token is not of the agent session that was asked for")]
    WrongSession,
    /// The call answers a claims challenge, and the token is from before the call, or was requested
    /// without the claims.
    #[error("the access token does not answer the claims challenge")]
    Unchallenged,
}

impl Refused {
    /// The kind alone, without the text: for logs that programs read.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TooMany => "too-many",
            Self::TooLarge { .. } => "too-large",
            Self::StaleDocument => "stale-document",
            Self::DamagedDocument => "damaged-document",
            Self::NotAnObject => "not-an-object",
            Self::PlainSecret => "plain-secret",
            Self::UnknownHandle(_) => "unknown-handle",
            Self::WrongKind(_) => "wrong-kind",
            Self::WrongEntry(_) => "wrong-entry",
            Self::ChangedEntry(_) => "changed-entry",
            Self::ChangedAccounts => "changed-accounts",
            Self::RemovedRefreshToken => "removed-refresh-token",
            Self::ChangedElsewhere(_) => "changed-elsewhere",
            Self::NewEntry { .. } => "new-entry",
            Self::RepeatedMember => "repeated-member",
            Self::RemovedEntry(_) => "removed-entry",
            Self::HandleElsewhere => "handle-elsewhere",
            Self::NothingRedeemed => "nothing-redeemed",
            Self::TooManyWrites => "too-many-writes",
            Self::NoCall => "no-call",
            Self::UnknownField(_) => "unknown-field",
            Self::RepeatedField(_) => "repeated-field",
            Self::MissingField(_) => "missing-field",
            Self::WrongClaims => "wrong-claims",
            Self::HandleInRequest(_) => "handle-in-request",
            Self::WrongGrant => "wrong-grant",
            Self::WrongKindOfGrant(_) => "wrong-kind-of-grant",
            Self::NotARefreshToken => "not-a-refresh-token",
            Self::PlainResult => "plain-result",
            Self::WrongKindOfResult(_) => "wrong-kind-of-result",
            Self::OutOfDate => "out-of-date",
            Self::NotAnAccessToken => "not-an-access-token",
            Self::WrongClient(_) => "wrong-client",
            Self::WrongCloud(_) => "wrong-cloud",
            Self::WrongAccount(_) => "wrong-account",
            Self::SeveralAccounts(_) => "several-accounts",
            Self::Denied(_) => "policy",
            Self::WrongTenant(_) => "wrong-tenant",
            Self::WrongScopes(_) => "wrong-scopes",
            Self::WrongCache(_) => "wrong-cache",
            Self::Expired => "expired",
            Self::MalformedToken => "malformed-token",
            Self::NotBearer => "not-bearer",
            Self::WrongSession => "wrong-session",
            Self::Unchallenged => "unchallenged",
        }
    }
}
