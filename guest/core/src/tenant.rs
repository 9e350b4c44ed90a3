//! Which tenant a request goes to.

use crate::error::{AuthenticationFailure, AuthenticationFailureReason, Error};
use crate::options::Configuration;
use crate::types::TenantId;

/// The tenant of every work or school account: the authority finds the home tenant by itself.
const ORGANIZATIONS: &str = "organizations";

/// The tenant of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestTenant {
    /// `organizations`: a token of the account's home tenant.
    Home,
    /// A certain tenant.
    Named(String),
}

impl RequestTenant {
    /// The tenant's segment in the token endpoint's path, and the realm of what it issues.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Home => ORGANIZATIONS,
            Self::Named(tenant) => tenant,
        }
    }
}

/// Resolves the tenant that a call asks for against the configured one.
pub(crate) fn resolve(
    configuration: &Configuration,
    requested: Option<&TenantId>,
    disable_multitenant: bool,
) -> Result<RequestTenant, Error> {
    let configured = configured(configuration);
    let Some(requested) = requested.map(TenantId::as_str) else { return Ok(configured) };
    if requested == configured.as_str() || disable_multitenant || configured.as_str().eq_ignore_ascii_case("adfs") {
        return Ok(configured);
    }
    let allowed = &configuration.additionally_allowed_tenants;
    let listed = allowed.iter().any(|tenant| tenant == "*" || tenant.eq_ignore_ascii_case(requested));
    if listed || (allowed.is_empty() && configured.as_str() == ORGANIZATIONS) {
        return Ok(RequestTenant::Named(requested.to_owned()));
    }
    Err(Error::ClientAuthentication(AuthenticationFailure {
        reason: AuthenticationFailureReason::TenantNotAllowed,
        message: format!(
            "the call asks for a token of tenant {requested}, but the credential is configured for {}; to allow it, add \
             {requested:?} (or \"*\" for any tenant) to additionally-allowed-tenants",
            configured.as_str()
        ),
        oauth: None,
    }))
}

/// With a record its tenant, unless the options name another; for a guest the tenant that the options name.
fn configured(configuration: &Configuration) -> RequestTenant {
    let named = configuration.tenant_id.as_ref();
    let tenant = match &configuration.record {
        Some(record) => Some(named.unwrap_or(&record.tenant_id)),
        None => named.filter(|_| configuration.enable_guest_tenant_authentication),
    };
    tenant.map_or(RequestTenant::Home, |tenant| RequestTenant::Named(tenant.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn configuration(tenant: Option<&str>, guest: bool, allowed: &[&str]) -> Configuration {
        Configuration::try_from(Options {
            tenant_id: tenant.map(str::to_owned),
            enable_guest_tenant_authentication: guest,
            additionally_allowed_tenants: allowed.iter().map(|&tenant| tenant.to_owned()).collect(),
            ..Options::default()
        })
        .unwrap()
    }

    #[test]
    fn the_tenant_is_resolved_row_by_row() {
        let home = Ok("organizations");
        for (configuration, requested, disabled, expected) in [
            (configuration(None, false, &[]), None, false, home),
            (configuration(None, false, &[]), Some("organizations"), false, home),
            (configuration(None, false, &[]), Some("a.com"), true, home),
            (configuration(None, false, &[]), Some("a.com"), false, Ok("a.com")),
            (configuration(None, false, &["a.com"]), Some("A.com"), false, Ok("A.com")),
            (configuration(None, false, &["*"]), Some("b.com"), false, Ok("b.com")),
            (configuration(None, false, &["a.com"]), Some("b.com"), false, Err(())),
            // A tenant id selects an account; it is not asked unless guests are enabled.
            (configuration(Some("h.com"), false, &[]), None, false, home),
            (configuration(Some("h.com"), true, &[]), None, false, Ok("h.com")),
            (configuration(Some("h.com"), true, &[]), Some("a.com"), false, Err(())),
            (configuration(Some("h.com"), true, &["a.com"]), Some("a.com"), false, Ok("a.com")),
            (configuration(Some("adfs"), true, &[]), Some("a.com"), false, Ok("adfs")),
        ] {
            let requested = requested.map(|tenant| TenantId::parse(tenant).unwrap());
            let resolved = resolve(&configuration, requested.as_ref(), disabled);
            match expected {
                Ok(tenant) => assert_eq!(resolved.unwrap().as_str(), tenant, "{configuration:?} {requested:?}"),
                Err(()) => assert!(
                    matches!(resolved, Err(Error::ClientAuthentication(failure))
                        if failure.reason == AuthenticationFailureReason::TenantNotAllowed),
                    "{configuration:?} {requested:?}"
                ),
            }
        }
    }
}
