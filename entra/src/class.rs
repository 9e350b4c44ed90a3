/// What helps against an error of a token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// The authority failed. The same request can succeed a moment later.
    Busy,
    /// The authority counts too many requests. The same request can succeed after a pause, and a
    /// repetition at once makes the pause longer.
    TooMany,
    /// The user has to do something at a sign-in: a second factor, a consent, a compliant device.
    InteractionNeeded,
    /// The refresh token is expired, revoked or unknown. A new sign-in replaces it.
    DeadGrant,
    /// The account is not in this tenant, or the tenant is not in this cloud.
    WrongTenant,
    /// This application may not have the token, or may not redeem this refresh token.
    WrongClient,
    /// The request makes no sense to the authority: a scope, a resource or a parameter.
    Misconfigured,
}

impl Class {
    /// The class as the command prints it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::TooMany => "too-many-requests",
            Self::InteractionNeeded => "interaction-needed",
            Self::DeadGrant => "dead-grant",
            Self::WrongTenant => "wrong-tenant",
            Self::WrongClient => "wrong-client",
            Self::Misconfigured => "misconfigured",
        }
    }

    /// Whether the authority said nothing about the sign-in, so that a token that is still valid
    /// stays valid and a later call can succeed.
    #[must_use]
    pub fn may_pass(self) -> bool {
        matches!(self, Self::Busy | Self::TooMany)
    }

    /// Whether the same request is worth repeating at once.
    #[must_use]
    pub fn is_worth_repeating(self) -> bool {
        self == Self::Busy
    }
}
