//! What is asked about the authority, which only MSAL does: the reference uses it with an authentication record.

use crate::differential::case::Case;

/// An authority is not asked for its metadata, so a cached token is served when it is down, and a tenant that it does not know of is
/// told apart by the answer to the refresh token. The reference asks in every process before it does anything else.
pub(super) fn no_discovery_is_needed(case: &mut Case<'_>) {
    if case.record.is_some() {
        case.given.call.discovery.status = 200;
        case.given.call.discovery.any_tenant = true;
    }
}

/// The host's policy says which authorities may be asked. The reference refuses those that Microsoft does not list.
pub(super) fn the_policy_says_which_authorities_are_good(case: &mut Case<'_>) {
    if case.record.is_some() {
        case.given.call.discovery.any_authority = true;
    }
}

/// A tenant is asked, and its tokens are cached, under the name that the caller has for it. The reference learns its id from the
/// authority and uses that.
pub(super) fn tenants_keep_the_name_that_they_have(case: &mut Case<'_>) {
    if case.record.is_some() {
        case.given.call.discovery.tenants_by_id = false;
    }
}
