//! Metadata requests to the authority. Only MSAL sends them, which the reference uses with an
//! authentication record.

use crate::differential::case::Case;

/// There is no metadata request, so a cached token is served during an outage, and an unknown
/// tenant is detected by the response to the refresh token. The reference sends metadata requests
/// first, in every process.
pub(super) fn no_discovery_is_needed(case: &mut Case<'_>) {
    if case.record.is_some() {
        case.given.call.discovery.status = 200;
        case.given.call.discovery.any_tenant = true;
    }
}

/// The host's policy decides which authorities are allowed. The reference refuses those that
/// Microsoft does not list.
pub(super) fn the_policy_says_which_authorities_are_good(case: &mut Case<'_>) {
    if case.record.is_some() {
        case.given.call.discovery.any_authority = true;
    }
}

/// The caller's name of a tenant is used in requests and for cached tokens. The reference gets the
/// tenant's id from the authority and uses that.
pub(super) fn tenants_keep_the_name_that_they_have(case: &mut Case<'_>) {
    if case.record.is_some() {
        case.given.call.discovery.tenants_by_id = false;
    }
}
