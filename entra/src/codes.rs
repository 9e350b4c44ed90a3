//! The errors of token endpoints, one per row, each with its source.
//!
//! Sources: "RFC" is RFC 6749, section 5.2 or 4.1.2.1. "OIDC" is OpenID Connect Core, section
//! 3.1.2.6. A name in capitals and small letters is the one on Microsoft's page
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>, or behind
//! <https://login.microsoftonline.com/error?code=NUMBER>. "MSAL" is the classification of
//! `suberror` that Microsoft's libraries publish (`UiRequiredExceptionClassification`). A name with
//! `#` is a report on GitHub that quotes the error, in MicrosoftDocs/azure-docs or entra-docs,
//! Azure/azure-cli or azure-mcp, Azure/Commercial-Marketplace-SaaS-Accelerator,
//! MaikuB/flutter_appauth, or AzureAD/microsoft-authentication-library-for-js ("msal-js")
//! or -dotnet.

use crate::class::Class::{self, Busy, DeadGrant, InteractionNeeded, Misconfigured, TooMany, WrongClient, WrongTenant};

/// `error`.
pub(crate) const CODES: &[(&str, Class)] = &[
    ("temporarily_unavailable", Busy),                 // RFC, 4.1.2.1
    ("server_error", Busy),                            // RFC, 4.1.2.1
    ("slow_down", TooMany),                            // RFC 8628, 3.5
    ("interaction_required", InteractionNeeded),       // OIDC
    ("login_required", InteractionNeeded),             // OIDC
    ("consent_required", InteractionNeeded),           // OIDC
    ("account_selection_required", InteractionNeeded), // OIDC
    ("invalid_grant", DeadGrant),                      // RFC
    ("invalid_client", WrongClient),                   // RFC
    ("unauthorized_client", WrongClient),              // RFC
    ("client_mismatch", WrongClient),                  // MSAL: the client is not in the family
    ("access_denied", InteractionNeeded),              // RFC, 4.1.2.1
    ("invalid_request", Misconfigured),                // RFC
    ("invalid_scope", Misconfigured),                  // RFC
    ("unsupported_grant_type", Misconfigured),         // RFC
    ("invalid_resource", Misconfigured),               // Microsoft's page of the code flow
    ("invalid_target", Misconfigured),                 // RFC 8707, section 2
    ("invalid_instance", WrongTenant),                 // NoSuchInstanceForDiscovery, its `error`
];

/// `suberror`.
pub(crate) const SUBERRORS: &[(&str, Class)] = &[
    ("bad_token", DeadGrant),                            // MSAL
    ("token_expired", DeadGrant),                        // MSAL
    ("basic_action", InteractionNeeded),                 // MSAL
    ("additional_action", InteractionNeeded),            // MSAL
    ("message_only", InteractionNeeded),                 // MSAL
    ("consent_required", InteractionNeeded),             // MSAL
    ("user_password_expired", InteractionNeeded),        // MSAL
    ("device_authentication_failed", InteractionNeeded), // MSAL
    ("protection_policy_required", InteractionNeeded),   // MSAL
    ("client_mismatch", WrongClient),                    // MSAL
];

/// `error_codes`, and the number behind `AADSTS` in `error_description`.
pub(crate) const NUMBERS: &[(u64, Class)] = &[
    // The authority, or a service behind it, failed.
    (40010, Busy), // OAuth2IdPRetryableServerError
    (50033, Busy), // RetryableError
    (50087, Busy), // SasRetryableError
    (50166, Busy), // ExternalClaimsProviderThrottled
    (70012, Busy), // MsaServerError
    (90006, Busy), // ExternalServerRetryableError
    (90012, Busy), // RequestTimeout
    (90024, Busy), // RequestBudgetExceededError
    (90033, Busy), // MsodsServiceUnavailable
    (90041, Busy), // msal-js#4329, with `server_error`
    (90090, Busy), // GraphRetryableError
    (90091, Busy), // GraphServiceUnreachable
    // Too many requests. An immediate retry is counted too.
    (50196, TooMany), // LoopDetected
    (90055, TooMany), // TenantThrottlingError
    // The user has to do something.
    (16000, InteractionNeeded),   // SelectUserAccount
    (50005, InteractionNeeded),   // DevicePolicyError
    (50053, InteractionNeeded),   // IdsLocked
    (50055, InteractionNeeded),   // InvalidPasswordExpiredPassword
    (50058, InteractionNeeded),   // UserInformationNotProvided
    (50072, InteractionNeeded),   // UserStrongAuthEnrollmentRequiredInterrupt
    (50074, InteractionNeeded),   // UserStrongAuthClientAuthNRequiredInterrupt
    (50076, InteractionNeeded),   // UserStrongAuthClientAuthNRequired
    (50078, InteractionNeeded),   // UserStrongAuthExpired
    (50079, InteractionNeeded),   // UserStrongAuthEnrollmentRequired
    (50085, InteractionNeeded),   // "Refresh token needs social IDP login"
    (50097, InteractionNeeded),   // DeviceAuthenticationRequired
    (50125, InteractionNeeded),   // PasswordResetRegistrationRequiredInterrupt
    (50127, InteractionNeeded),   // BrokerAppNotInstalled
    (50129, InteractionNeeded),   // DeviceIsNotWorkplaceJoined
    (50131, InteractionNeeded),   // ConditionalAccessFailed
    (50135, InteractionNeeded),   // PasswordChangeCompromisedPassword
    (50139, InteractionNeeded),   // SessionMissingMsaOAuth2RefreshToken
    (50140, InteractionNeeded),   // KmsiInterrupt
    (50142, InteractionNeeded),   // PasswordChangeRequiredConditionalAccess
    (50144, InteractionNeeded),   // InvalidPasswordExpiredOnPremPassword
    (50155, InteractionNeeded),   // DeviceAuthenticationFailed
    (50158, InteractionNeeded),   // ExternalSecurityChallenge
    (50187, InteractionNeeded),   // DeviceInformationNotProvided
    (51006, InteractionNeeded),   // ForceReauthDueToInsufficientAuth
    (53000, InteractionNeeded),   // DeviceNotCompliant
    (53001, InteractionNeeded),   // DeviceNotDomainJoined
    (53002, InteractionNeeded),   // ApplicationUsedIsNotAnApprovedApp
    (53003, InteractionNeeded),   // BlockedByConditionalAccess
    (53004, InteractionNeeded),   // ProofUpBlockedDueToRisk
    (53011, InteractionNeeded),   // UserBlockedDueToRiskOnHomeTenant
    (54000, InteractionNeeded),   // MinorUserBlockedLegalAgeGroupRule
    (65001, InteractionNeeded),   // DelegationDoesNotExist: consent
    (65004, InteractionNeeded),   // UserDeclinedConsent
    (70044, InteractionNeeded),   // azure-docs#31876: the session expired by the sign-in frequency
    (90008, InteractionNeeded),   // TokenForItselfRequiresGraphPermission: consent
    (90094, InteractionNeeded),   // AdminConsentRequired
    (90095, InteractionNeeded),   // AdminConsentRequiredRequestAccess
    (135_011, InteractionNeeded), // azure-docs#34055: the device is disabled, with `device_authentication_failed`
    (500_121, InteractionNeeded), // entra-docs#72: the second factor failed
    (530_003, InteractionNeeded), // azure-cli#29282: the device has to be managed
    (530_032, InteractionNeeded), // BlockedByConditionalAccessOnSecurityPolicy
    (700_020, InteractionNeeded), // InteractionRequired
    // The refresh token is no longer valid.
    (50057, DeadGrant),   // UserDisabled
    (50089, DeadGrant),   // "Flow token expired"
    (50132, DeadGrant),   // SsoArtifactInvalidOrExpired
    (50133, DeadGrant),   // SsoArtifactRevoked
    (50173, DeadGrant),   // FreshTokenNeeded
    (70000, DeadGrant),   // InvalidGrant
    (70008, DeadGrant),   // ExpiredOrRevokedGrant
    (70043, DeadGrant),   // BadTokenDueToSignInFrequency
    (700_081, DeadGrant), // msal-js#3931: the refresh token has reached its longest life
    (700_082, DeadGrant), // ExpiredOrRevokedGrantInactiveToken
    (700_084, DeadGrant), // msal-js#6765: the refresh token of a single-page app has expired
    // The account is not in this tenant, or the tenant not in this cloud.
    (50002, WrongTenant),     // NotAllowedTenant
    (50014, WrongTenant),     // GuestUserInPendingState
    (50020, WrongTenant),     // UserUnauthorized
    (50034, WrongTenant),     // UserAccountNotFound
    (50049, WrongTenant),     // NoSuchInstanceForDiscovery
    (50059, WrongTenant),     // MissingTenantRealmAndNoUserInformationProvided
    (50128, WrongTenant),     // "Invalid domain name"
    (50143, WrongTenant),     // "Session mismatch"
    (50177, WrongTenant),     // ExternalChallengeNotSupportedForPassthroughUsers
    (50178, WrongTenant),     // SessionControlNotSupportedForPassthroughUsers
    (50194, WrongTenant),     // azure-docs#45832: the application is of one tenant
    (51004, WrongTenant),     // UserAccountNotInDirectory
    (90002, WrongTenant),     // InvalidTenantName
    (90019, WrongTenant),     // MissingTenantRealm
    (90038, WrongTenant),     // NationalCloudTenantRedirection
    (90043, WrongTenant),     // NationalCloudAuthCodeRedirection
    (90051, WrongTenant),     // InvalidNationalCloudId
    (90072, WrongTenant),     // PassThroughUserMfaError
    (90084, WrongTenant),     // OrgIdWsFederationGuestNotAllowed
    (500_021, WrongTenant),   // azure-docs#69022: access to the tenant is denied
    (500_200, WrongTenant),   // azure-mcp#14: a personal account
    (500_207, WrongTenant),   // flutter_appauth#622: the type of account can't be used for the resource
    (500_212, WrongTenant),   // NotAllowedByOutboundPolicyTenant
    (500_213, WrongTenant),   // NotAllowedByInboundPolicyTenant
    (9_002_332, WrongTenant), // azure-docs#85279: the application is for work accounts only
    // The application.
    (50105, WrongClient),     // EntitlementGrantsNotFound
    (65002, WrongClient),     // msal-dotnet#668: first-party applications need a preauthorization
    (65005, WrongClient),     // MisconfiguredApplication
    (70001, WrongClient),     // UnauthorizedClient
    (70002, WrongClient),     // InvalidClient
    (700_016, WrongClient),   // UnauthorizedClient_DoesNotMatchRequest
    (700_038, WrongClient),   // SaaS-Accelerator#748: not a valid application id
    (7_000_112, WrongClient), // UnauthorizedClientApplicationDisabled
    (7_000_215, WrongClient), // azure-docs#42817: an invalid client secret
    (7_000_218, WrongClient), // azure-docs#98161: the request has no client secret
    (7_000_222, WrongClient), // azure-docs#48573: an expired client secret
    (9_002_326, WrongClient), // azure-docs#100859: a refresh token of a single-page app
    // The request.
    (50001, Misconfigured),     // InvalidResource
    (70003, Misconfigured),     // UnsupportedGrantType
    (70011, Misconfigured),     // InvalidScope
    (90004, Misconfigured),     // InvalidRequestFormat
    (90009, Misconfigured),     // TokenForItselfMissingIdenticalAppIdentifier
    (90010, Misconfigured),     // NotSupported
    (90013, Misconfigured),     // InvalidUserInput
    (90014, Misconfigured),     // MissingRequiredField
    (90015, Misconfigured),     // QueryStringTooLong
    (90023, Misconfigured),     // InvalidRequest
    (90056, Misconfigured),     // BadResourceRequest
    (90100, Misconfigured),     // InvalidRequestParameter
    (90117, Misconfigured),     // InvalidRequestInput
    (90124, Misconfigured),     // V1ResourceV2GlobalEndpointNotSupported
    (90130, Misconfigured),     // NonConvergedAppV2GlobalEndpointNotSupported
    (500_011, Misconfigured),   // InvalidResourceServicePrincipalNotFound
    (500_014, Misconfigured),   // InvalidResourceServicePrincipalDisabled
    (700_022, Misconfigured),   // InvalidMultipleResourcesScope
    (700_023, Misconfigured),   // InvalidResourcelessScope
    (9_002_313, Misconfigured), // InvalidRequest
];
