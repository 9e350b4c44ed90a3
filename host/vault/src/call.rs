//! The derived parameters of a call: its document, scopes, tenant and claims.

use shared_token_cache_entra::account::home_tenant;
use shared_token_cache_entra::tenant::{ADFS, ORGANIZATIONS, is_adfs, is_home_realm, means_home};
use shared_token_cache_policy::Denied;

use crate::claims::Claims;
use crate::credential::{Credential, Request};

/// The derived parameters of a call.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) document: String,
    pub(crate) scopes: Vec<String>,
    /// `None`: the credential must not request tokens in the tenant that the call names.
    pub(crate) tenant: Option<Tenant>,
    pub(crate) challenged: bool,
    pub(crate) claims: Claims,
    pub(crate) now: u64,
}

/// The tenant that a request goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// The account's home tenant, which is requested under another name.
    Home,
    Named(String),
}

impl Tenant {
    fn named(tenant: &str) -> Self {
        Self::Named(if is_adfs(tenant) { ADFS } else { tenant }.to_owned())
    }

    /// Whether the URL segment names this tenant. `home` is the name of the account's home tenant.
    pub(crate) fn is_asked_as(&self, segment: &str, home: &str) -> bool {
        match self {
            Self::Home => segment.eq_ignore_ascii_case(home),
            Self::Named(tenant) => segment == tenant,
        }
    }

    /// Whether a token cached under `realm` is of this tenant. `home` is the name under which the
    /// home tenant is requested.
    pub(crate) fn is_realm(&self, realm: &str, home_account_id: &str, home: &str) -> bool {
        let is = |tenant: &str| realm.eq_ignore_ascii_case(tenant);
        match self {
            Self::Home => is_home_realm(realm) || is(home) || home_tenant(home_account_id).is_some_and(is),
            Self::Named(tenant) => is(tenant),
        }
    }
}

/// The tenant that `name` means for an account: its home tenant for a common name.
pub(crate) fn asked_tenant<'a>(name: &'a str, home_account_id: &'a str) -> &'a str {
    if means_home(name) { home_tenant(home_account_id).unwrap_or(name) } else { name }
}

impl Credential {
    /// Checks what the policy can decide before an account is chosen: scopes, username, named
    /// tenant.
    pub(crate) fn check(&self, call: &Call) -> Result<(), Denied> {
        self.policy.check_scopes(&call.scopes)?;
        // Checked before the cache is read, so that the denial does not reveal whether the account
        // exists.
        if let Some(name) = self.username.as_deref().filter(|name| !name.is_empty() && self.record.is_none()) {
            self.policy.check_username(name)?;
        }
        match &call.tenant {
            Some(Tenant::Named(tenant)) => self.policy.check_tenant_name(tenant),
            Some(Tenant::Home) | None => Ok(()),
        }
    }

    pub(crate) fn call(&self, request: &Request<'_>) -> Call {
        Call {
            document: self.document_name(request.enable_cae),
            scopes: request.scopes.iter().flat_map(|scopes| scopes.split_whitespace()).map(str::to_owned).collect(),
            tenant: self.tenant(request.tenant_id.filter(|tenant| !tenant.is_empty())),
            challenged: request.claims.is_some_and(|claims| !claims.trim().is_empty()),
            claims: Claims::of(request.claims, request.enable_cae),
            now: request.now,
        }
    }

    /// The rule is in docs/behaviour.md, section 5.
    fn tenant(&self, asked: Option<&str>) -> Option<Tenant> {
        let named = self.tenant_id.as_deref();
        let configured = match &self.record {
            Some(record) => Some(named.unwrap_or(&record.tenant_id)),
            None => named.filter(|tenant| self.enable_guest_tenant_authentication || is_adfs(tenant)),
        };
        let name = configured.unwrap_or(ORGANIZATIONS);
        let configured = configured.map_or(Tenant::Home, Tenant::named);
        let Some(asked) = asked else { return Some(configured) };
        if asked == name || self.disable_multitenant_authentication || is_adfs(name) {
            return Some(configured);
        }
        let allowed = &self.additionally_allowed_tenants;
        let listed = allowed.iter().any(|tenant| tenant == "*" || tenant.eq_ignore_ascii_case(asked));
        (listed || (allowed.is_empty() && name == ORGANIZATIONS)).then(|| Tenant::named(asked))
    }
}

/// Whether each of `wanted` is among `granted`, without regard to case, as in Microsoft Entra ID.
pub(crate) fn covers<'a>(mut granted: impl Iterator<Item = &'a str> + Clone, wanted: &[String]) -> bool {
    !wanted.is_empty()
        && wanted.iter().all(|scope| granted.clone().any(|granted| granted.eq_ignore_ascii_case(scope)))
        && granted.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Record;

    #[test]
    fn a_tenant_is_resolved_as_the_component_resolves_it() {
        let credential = |tenant: Option<&str>, guest, allowed: &[&str]| Credential {
            tenant_id: tenant.map(str::to_owned),
            enable_guest_tenant_authentication: guest,
            additionally_allowed_tenants: allowed.iter().map(|&tenant| tenant.to_owned()).collect(),
            ..Credential::default()
        };
        let named = |tenant: &str| Some(Tenant::Named(tenant.to_owned()));
        let recorded = Credential {
            record: Some(Record { home_account_id: "u.h".into(), tenant_id: "r".into() }),
            ..Credential::default()
        };
        let single = Credential { disable_multitenant_authentication: true, ..Credential::default() };
        for (credential, asked, expected) in [
            (credential(None, false, &[]), None, Some(Tenant::Home)),
            (credential(None, false, &[]), Some("organizations"), Some(Tenant::Home)),
            (credential(None, false, &[]), Some("a"), named("a")),
            (single, Some("a"), Some(Tenant::Home)),
            (credential(None, false, &["A"]), Some("a"), named("a")),
            (credential(None, false, &["*"]), Some("b"), named("b")),
            (credential(None, false, &["a"]), Some("b"), None),
            (credential(Some("h"), false, &[]), None, Some(Tenant::Home)),
            (credential(Some("h"), true, &[]), None, named("h")),
            (credential(Some("h"), true, &[]), Some("a"), None),
            (credential(Some("adfs"), true, &[]), Some("a"), named("adfs")),
            (credential(Some("ADFS"), false, &[]), None, named("adfs")),
            (credential(None, false, &[]), Some("ADFS"), named("adfs")),
            (recorded.clone(), None, named("r")),
            (Credential { tenant_id: Some("t".into()), ..recorded }, None, named("t")),
        ] {
            assert_eq!(credential.tenant(asked), expected, "{asked:?}");
        }
    }

    #[test]
    fn a_common_name_of_a_tenant_means_the_account_s_home() {
        for name in ["organizations", "common", "consumers", "Consumers"] {
            assert_eq!(asked_tenant(name, "u.home"), "home", "{name}");
            assert_eq!(asked_tenant(name, "u"), name);
        }
        assert_eq!(asked_tenant("contoso.com", "u.home"), "contoso.com");
        assert!(
            !Tenant::Home.is_realm("consumers", "u.home", "home") && Tenant::Home.is_realm("common", "u.home", "home")
        );
    }

    #[test]
    fn scopes_cover_without_order_and_case() {
        let wanted = ["User.Read".to_owned(), "b".to_owned()];
        assert!(covers("x B user.read".split_whitespace(), &wanted));
        assert!(!covers("user.read.all b".split_whitespace(), &wanted));
        assert!(!covers("a".split_whitespace(), &[]), "a call without scopes asks for nothing");
    }
}
