/// The remedy for an error of a token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// The authority failed. A retry can succeed a moment later.
    Busy,
    /// The authority limits the rate of requests. A retry can succeed after a pause; an immediate
    /// one makes the pause longer.
    TooMany,
    /// The user has to act at a sign-in: a second factor, a consent, a compliant device.
    InteractionNeeded,
    /// The refresh token is expired, revoked or unknown. A new sign-in replaces it.
    DeadGrant,
    /// The account is not in this tenant, or the tenant is not in this cloud.
    WrongTenant,
    /// This application may not have the token, or may not redeem this refresh token.
    WrongClient,
    /// The request is invalid: a scope, a resource or a parameter.
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

    /// Whether the error is temporary and says nothing about the sign-in: a valid token stays
    /// valid, and a later call can succeed.
    #[must_use]
    pub fn may_pass(self) -> bool {
        matches!(self, Self::Busy | Self::TooMany)
    }

    /// Whether to retry the same request at once.
    #[must_use]
    pub fn is_worth_repeating(self) -> bool {
        self == Self::Busy
    }
}
