//! The tenant that a request is sent to.

use shared_token_cache_entra::tenant::{ADFS, ORGANIZATIONS, PERSONAL, is_adfs, is_home_realm, means_home};

use crate::document::Document;
use crate::error::{AuthenticationFailure, AuthenticationFailureReason, Error};
use crate::options::Configuration;
use crate::types::{Authority, HomeAccountId, TenantId};

/// The tenant of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestTenant {
    name: String,
    /// Whether the request is for the account's home tenant, under any of its names.
    is_home: bool,
}

impl RequestTenant {
    /// The account's own tenant, as `organizations`.
    pub(crate) fn home() -> Self {
        Self { name: ORGANIZATIONS.to_owned(), is_home: true }
    }

    fn named(tenant: &TenantId) -> Self {
        let name = tenant.as_str();
        Self { name: if is_adfs(name) { ADFS } else { name }.to_owned(), is_home: false }
    }

    /// The tenant's segment in the token endpoint's path, and the realm of the tokens that it
    /// issues.
    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    /// The request's tenant for one account. `organizations` does not serve every account: a
    /// customer authority (CIAM) does not have it, so the home tenant replaces it; a personal
    /// account uses the only tenant of its cached tokens.
    pub(crate) fn of(&self, account: &HomeAccountId, document: &Document, authority: &Authority, now: u64) -> Self {
        let home = account.home_tenant().filter(|_| self.is_home);
        let name = match home {
            Some(home) if authority.is_of_customers() => TenantId::parse(home).is_ok().then_some(home),
            Some(home) if home.eq_ignore_ascii_case(PERSONAL) => only_visited(account, document, authority, now),
            _ => None,
        };
        Self { name: name.unwrap_or(&self.name).to_owned(), is_home: self.is_home }
    }

    /// Whether a token cached under `realm` was issued by this tenant. MSAL caches a token under
    /// the tenant of the request, so the home tenant's tokens can be under `organizations` or
    /// `common`.
    pub(crate) fn issued(&self, realm: &str, account: &HomeAccountId) -> bool {
        let is = |tenant: &str| realm.eq_ignore_ascii_case(tenant);
        is(&self.name) || (self.is_home && (is_home_realm(realm) || account.home_tenant().is_some_and(is)))
    }
}

/// The tenants of the account's entries, without its home, in the document's order.
pub(crate) fn visited<'a>(account: &'a HomeAccountId, document: &'a Document, authority: &Authority) -> Vec<&'a str> {
    let tokens = document.access_tokens_of(account).iter().map(|token| (&*token.environment, &*token.realm));
    let entries = document.accounts().iter().filter(|entry| entry.home_account_id == *account);
    let entries = entries.map(|entry| (&*entry.environment, &*entry.realm));
    let realms = tokens.chain(entries).filter(|(environment, _)| authority.has_alias(environment));
    distinct(realms.map(|(_, realm)| realm), account)
}

/// The only tenant of the account's unexpired tokens, or of all its tokens if all have expired.
fn only_visited<'a>(
    account: &HomeAccountId,
    document: &'a Document,
    authority: &Authority,
    now: u64,
) -> Option<&'a str> {
    let tokens = || document.access_tokens_of(account).iter().filter(|token| authority.has_alias(&token.environment));
    let living = distinct(tokens().filter(|token| token.expires_on > now).map(|token| &*token.realm), account);
    let tenants = if living.is_empty() { distinct(tokens().map(|token| &*token.realm), account) } else { living };
    match tenants.as_slice() {
        [tenant] => Some(tenant),
        _ => None,
    }
}

/// Each tenant once, without the account's home and without aliases of it.
fn distinct<'a>(realms: impl Iterator<Item = &'a str>, account: &HomeAccountId) -> Vec<&'a str> {
    let mut tenants: Vec<&str> = Vec::new();
    for realm in realms {
        let is = |tenant: &str| realm.eq_ignore_ascii_case(tenant);
        let is_home = means_home(realm) || account.home_tenant().is_some_and(is);
        if !is_home && TenantId::parse(realm).is_ok() && !tenants.iter().any(|tenant| is(tenant)) {
            tenants.push(realm);
        }
    }
    tenants
}

/// Resolves a call's tenant against the configured one. The name is validated only if the tenant is
/// used.
pub(crate) fn resolve(
    configuration: &Configuration,
    requested: Option<&str>,
    disable_multitenant: bool,
) -> Result<RequestTenant, Error> {
    let configured = configured(configuration);
    let Some(requested) = requested.filter(|tenant| !tenant.is_empty()) else { return Ok(configured) };
    if requested == configured.as_str() || disable_multitenant || is_adfs(configured.as_str()) {
        return Ok(configured);
    }
    let tenant = TenantId::parse(requested)?;
    let allowed = &configuration.additionally_allowed_tenants;
    let listed = allowed.iter().any(|tenant| tenant == "*" || tenant.eq_ignore_ascii_case(requested));
    if listed || (allowed.is_empty() && configured.as_str() == ORGANIZATIONS) {
        return Ok(RequestTenant::named(&tenant));
    }
    Err(Error::ClientAuthentication(AuthenticationFailure {
        reason: AuthenticationFailureReason::TenantNotAllowed,
        message: format!(
            "the call asks for a token of the tenant {requested:?}, but the credential is configured for {:?}; to allow it, \
             add {requested:?} (or \"*\" for any tenant) to additionally-allowed-tenants",
            configured.as_str()
        ),
        oauth: None,
    }))
}

/// A record's tenant, unless the options name another; for a guest, the tenant of the options. No
/// account has AD FS as its home tenant, so an option that names it sets the tenant of the request.
fn configured(configuration: &Configuration) -> RequestTenant {
    let named = configuration.tenant_id.as_ref();
    let tenant = match &configuration.record {
        Some(record) => Some(named.unwrap_or(&record.tenant_id)),
        None => named.filter(|tenant| configuration.enable_guest_tenant_authentication || is_adfs(tenant.as_str())),
    };
    tenant.map_or_else(RequestTenant::home, RequestTenant::named)
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
            // A tenant id only selects an account, unless guest authentication is enabled.
            (configuration(Some("h.com"), false, &[]), None, false, home),
            (configuration(Some("h.com"), true, &[]), None, false, Ok("h.com")),
            (configuration(Some("h.com"), true, &[]), Some("a.com"), false, Err(())),
            (configuration(Some("h.com"), true, &["a.com"]), Some("a.com"), false, Ok("a.com")),
            (configuration(Some("adfs"), true, &[]), Some("a.com"), false, Ok("adfs")),
            (configuration(Some("ADFS"), false, &[]), None, false, Ok("adfs")),
            (configuration(None, false, &[]), Some("ADFS"), false, Ok("adfs")),
            // An unused tenant may have any name.
            (configuration(None, false, &[]), Some("some_tenant"), true, home),
            (configuration(Some("adfs"), true, &[]), Some("some_tenant"), false, Ok("adfs")),
            (configuration(None, false, &[]), Some(""), false, home),
        ] {
            let resolved = resolve(&configuration, requested, disabled);
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

    #[test]
    fn a_tenant_that_a_request_uses_needs_a_valid_name() {
        for allowed in [&[][..], &["*"], &["a.com"]] {
            let resolved = resolve(&configuration(None, false, allowed), Some("some_tenant"), false);
            assert!(matches!(resolved, Err(Error::InvalidArgument(_))), "{allowed:?}: {resolved:?}");
        }
    }

    /// The tenant of a request for an account of `home` with cached tokens of `realms`, each with
    /// its expiry.
    fn asked(authority: &str, home: &str, realms: &[(&str, u64)]) -> String {
        let tokens: serde_json::Map<_, _> = realms
            .iter()
            .map(|(realm, expires_on)| {
                let token = serde_json::json!({
                    "home_account_id": format!("uid.{home}"), "environment": authority, "realm": realm, "target": "s",
                    "secret": "at", "expires_on": expires_on.to_string(),
                });
                (format!("{realm}-{expires_on}"), token)
            })
            .collect();
        let document = Document::parse(serde_json::json!({ "AccessToken": tokens }).to_string()).unwrap();
        let account = HomeAccountId::new(&format!("uid.{home}")).unwrap();
        let authority = Authority::parse(authority).unwrap();
        RequestTenant::home().of(&account, &document, &authority, 1000).name
    }

    #[test]
    fn a_personal_account_is_asked_for_in_the_only_tenant_that_it_has_tokens_of() {
        for (realms, expected) in [
            (&[][..], ORGANIZATIONS),
            (&[("t2", 2000)], "t2"),
            (&[("t2", 2000), ("t2", 3000), ("common", 2000), (PERSONAL, 2000)], "t2"),
            (&[("t2", 2000), ("t3", 2000)], ORGANIZATIONS),
            // Unexpired tokens decide.
            (&[("t2", 2000), ("t3", 500)], "t2"),
            (&[("t2", 500)], "t2"),
            (&[("t2", 500), ("t3", 500)], ORGANIZATIONS),
            // A realm that is not a tenant's name is ignored.
            (&[("../t2", 2000)], ORGANIZATIONS),
        ] {
            assert_eq!(asked("login.microsoftonline.com", PERSONAL, realms), expected, "{realms:?}");
        }
        assert_eq!(asked("login.microsoftonline.com", "t1", &[("t2", 2000)]), ORGANIZATIONS, "a work account");
    }

    #[test]
    fn an_authority_of_customers_is_asked_for_the_home_tenant() {
        assert_eq!(asked("contoso.ciamlogin.com", "t1", &[("t2", 2000)]), "t1");
        assert_eq!(asked("contoso.ciamlogin.com", "a/b", &[]), ORGANIZATIONS, "a home that is no tenant");
    }
}
