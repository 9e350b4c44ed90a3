//! The arguments of a call.

use serde_json::{Value, json};

use super::scopes::add_scopes;
use crate::differential::case::Case;
use crate::differential::compare::{Difference, Pair};
use crate::differential::situation::Request;

/// Claims of white space count as no claims. The reference sends them.
pub(super) fn blank_claims_are_none(case: &mut Case<'_>) {
    let claims = &mut case.given.call.claims;
    if claims.as_deref().is_some_and(|claims| claims.trim().is_empty()) {
        *claims = None;
    }
}

/// If `access_token` in the claims is `null`, the client's capabilities are merged there. The
/// reference fails on such claims.
pub(super) fn null_claims_are_none(case: &mut Case<'_>) {
    let enable_cae = case.given.call.enable_cae;
    let Some(claims) = case.given.call.claims.as_mut().filter(|_| enable_cae) else { return };
    if let Ok(mut value) = serde_json::from_str::<Value>(claims)
        && value.get("access_token") == Some(&Value::Null)
    {
        value.as_object_mut().into_iter().for_each(|value| drop(value.insert("access_token".into(), json!({}))));
        *claims = value.to_string();
    }
}

/// The tenants that a call may name are compared without case.
pub(super) fn allowed_tenants_have_no_case(case: &mut Case<'_>) {
    let Some(asked) = case.given.call.tenant_id.clone() else { return };
    for tenant in &mut case.given.options.allowed_tenants {
        if tenant.eq_ignore_ascii_case(&asked) {
            tenant.clone_from(&asked);
        }
    }
}

/// A scope that violates RFC 6749 is refused before anything is read or sent; so is an empty
/// argument.
pub(super) fn scopes_that_are_none_are_refused(_: &Difference, pair: &Pair<'_>) -> bool {
    let legal = |scope: &&str| scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E));
    let scopes = pair.case.scopes();
    (scopes.is_empty() || !scopes.iter().all(legal)) && refused_at_once(pair)
}

/// Claims that are not a JSON object are refused before anything is read or sent. The reference
/// sends them, or fails on them once it requests a token.
pub(super) fn claims_that_are_no_object_are_refused(_: &Difference, pair: &Pair<'_>) -> bool {
    let claims = pair.case.original.call.claims.as_deref().filter(|claims| !claims.trim().is_empty());
    let object = |claims: &str| serde_json::from_str::<Value>(claims).is_ok_and(|claims| claims.is_object());
    claims.is_some_and(|claims| !object(claims)) && refused_at_once(pair)
}

/// An invalid tenant is refused before it becomes part of a URL. The reference puts it there.
pub(super) fn tenants_that_are_none_are_refused(_: &Difference, pair: &Pair<'_>) -> bool {
    let given = pair.case.original;
    let call = given.call.tenant_id.as_ref().filter(|tenant| !tenant.is_empty());
    let tenants = [given.options.home_tenant.as_ref(), call];
    tenants.into_iter().flatten().any(|tenant| !is_tenant(tenant)) && refused_at_once(pair)
}

/// AD FS has a token endpoint without a version. The reference sends requests to one that does not
/// exist.
pub(super) fn ad_fs_has_an_endpoint_of_its_own(difference: &Difference, pair: &Pair<'_>) -> bool {
    let endpoint = "/adfs/oauth2/token";
    let with_version = |request: &mut Request| {
        request.url = request.url.replace(endpoint, "/adfs/oauth2/v2.0/token");
        if pair.case.record.is_some() {
            add_scopes(request);
        }
    };
    *difference == Difference::Requests
        && pair.sent().any(|request| request.url.ends_with(endpoint))
        && pair.would_agree(with_version)
}

/// Whether a text can name a tenant.
pub(super) fn is_tenant(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

/// Whether ours refused the call as it is and did nothing: the difference is everything that the
/// reference did.
pub(super) fn refused_at_once(pair: &Pair<'_>) -> bool {
    pair.case.ours.outcome.error() == "invalid-argument"
        && pair.case.ours.requests.is_empty()
        && pair.our_changes().is_empty()
}
