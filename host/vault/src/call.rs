//! What a credential was made for, and what a call of it asks.

use std::sync::Arc;

use shared_token_cache_policy::{Denied, Policy};

use crate::claims::Claims;
use crate::clouds;
use crate::home::{ADFS, ORGANIZATIONS, is_adfs};
use crate::people::{home_tenant, lives_in};

/// What a credential was made for. The vault opens nothing that does not fit.
#[derive(Clone, Default)]
pub struct Credential {
    /// Name of the cache, without `.cae` or `.nocae`.
    pub cache_name: String,
    /// The authority: a host, with or without scheme and port. With a record the record's.
    pub authority: String,
    /// The client id. With a record the record's.
    pub client_id: String,
    /// The username that selects the account.
    pub username: Option<String>,
    /// The tenant that selects the account, or that is asked as a guest.
    pub tenant_id: Option<String>,
    /// The account of an authentication record.
    pub record: Option<Record>,
    /// Tenants that a call may name besides the configured one.
    pub additionally_allowed_tenants: Vec<String>,
    /// Whether `tenant_id` is asked as a guest.
    pub enable_guest_tenant_authentication: bool,
    /// Whether every request goes to the configured tenant, whichever a call names.
    pub disable_multitenant_authentication: bool,
    /// Which scopes, tenants, accounts and clients it may be used for. The default allows none.
    pub policy: Arc<Policy>,
}

/// The account of an authentication record.
#[derive(Clone)]
pub struct Record {
    /// The account's id.
    pub home_account_id: String,
    /// The tenant to ask.
    pub tenant_id: String,
}

/// What a call for a token asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The scopes, each maybe several, parted by white space.
    pub scopes: &'a [String],
    /// The tenant that the call names.
    pub tenant_id: Option<&'a str>,
    /// The claims that the token must satisfy, if the call answers a challenge.
    pub claims: Option<&'a str>,
    /// Whether the token is to live under Continuous Access Evaluation.
    pub enable_cae: bool,
    /// The time, in seconds since the Unix epoch.
    pub now: u64,
}

/// A call, worked out.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) document: String,
    pub(crate) scopes: Vec<String>,
    /// None: the credential may not ask the tenant that the call names.
    pub(crate) tenant: Option<Tenant>,
    pub(crate) challenged: bool,
    pub(crate) claims: Claims,
    pub(crate) now: u64,
}

/// The tenant that a request goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// The account's own, asked for under another name.
    Home,
    Named(String),
}

impl Tenant {
    fn named(tenant: &str) -> Self {
        Self::Named(if is_adfs(tenant) { ADFS } else { tenant }.to_owned())
    }

    /// Whether a request names this tenant so. `home` is the name of the account's own.
    pub(crate) fn is_asked_as(&self, segment: &str, home: &str) -> bool {
        match self {
            Self::Home => segment.eq_ignore_ascii_case(home),
            Self::Named(tenant) => segment == tenant,
        }
    }

    /// Whether a token cached under `realm` is of this tenant. `home` is the name under which the account's own is asked.
    pub(crate) fn is_realm(&self, realm: &str, home_account_id: &str, home: &str) -> bool {
        let is = |tenant: &str| realm.eq_ignore_ascii_case(tenant);
        match self {
            Self::Home => is_any(realm) || is(home) || home_tenant(home_account_id).is_some_and(is),
            Self::Named(tenant) => is(tenant),
        }
    }
}

/// Whether tokens cached under this name are of the account's own tenant, as the guest takes them.
fn is_any(tenant: &str) -> bool {
    [ORGANIZATIONS, "common"].iter().any(|name| name.eq_ignore_ascii_case(tenant))
}

/// The tenant that was asked under this name for an account.
pub(crate) fn asked_tenant<'a>(name: &'a str, home_account_id: &'a str) -> &'a str {
    if is_any(name) || name.eq_ignore_ascii_case("consumers") {
        home_tenant(home_account_id).unwrap_or(name)
    } else {
        name
    }
}

impl Credential {
    /// Whether the policy allows the call, as far as that can be said before an account is chosen.
    pub(crate) fn check(&self, call: &Call) -> Result<(), Denied> {
        self.policy.check_scopes(&call.scopes)?;
        // Before a cache is looked at, so that the denial does not tell whether the account exists.
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

    /// The name of one of the credential's two caches.
    pub(crate) fn document_name(&self, enable_cae: bool) -> String {
        let suffix = if enable_cae { ".cae" } else { ".nocae" };
        format!("{}{suffix}", self.cache_name)
    }

    pub(crate) fn is_client(&self, client_id: &str) -> bool {
        self.client_id.eq_ignore_ascii_case(client_id)
    }

    pub(crate) fn is_cloud(&self, environment: &str) -> bool {
        clouds::same_cloud(clouds::host(&self.authority), environment)
    }

    /// Whether the credential's options select this account, as far as an account tells by itself.
    pub(crate) fn selects(&self, home_account_id: &str, username: &str) -> bool {
        if let Some(record) = &self.record {
            return record.home_account_id == home_account_id;
        }
        let named = self.username.as_deref().filter(|name| !name.is_empty());
        // As a guest the tenant only tells several accounts apart, which one account does not show.
        let home = self.tenant_id.as_deref().filter(|_| !self.enable_guest_tenant_authentication);
        named.is_none_or(|name| same_name(name, username))
            && home.is_none_or(|tenant| lives_in(home_account_id, tenant))
    }

    /// BEHAVIOUR, section 5, "Tenant of the request".
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

fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || one.to_lowercase() == other.to_lowercase()
}

/// Whether each of `wanted` is among `granted`; scopes of Microsoft Entra ID have no case.
pub(crate) fn covers<'a>(mut granted: impl Iterator<Item = &'a str> + Clone, wanted: &[String]) -> bool {
    !wanted.is_empty()
        && wanted.iter().all(|scope| granted.clone().any(|granted| granted.eq_ignore_ascii_case(scope)))
        && granted.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_resolved_as_the_guest_resolves_it() {
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
    fn a_tenant_that_was_asked_under_a_common_name_is_the_account_s_own() {
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

    #[test]
    fn options_select_an_account_by_its_record_or_by_its_name_and_its_home() {
        let named = |name: &str| Credential { username: Some(name.into()), ..Credential::default() };
        let of = |tenant: &str, guest| Credential {
            tenant_id: Some(tenant.into()),
            enable_guest_tenant_authentication: guest,
            ..Credential::default()
        };
        let record = Record { home_account_id: "u.home".into(), tenant_id: "t".into() };
        let recorded = Credential { record: Some(record), ..named("user1@contoso.com") };
        for (what, credential, selects) in [
            ("nothing is asked", Credential::default(), true),
            ("an empty name is none", named(""), true),
            ("its name", named("USER0@contoso.com"), true),
            ("another name", named("user1@contoso.com"), false),
            ("its home", of("HOME", false), true),
            ("another home", of("away", false), false),
            ("a tenant that it visits", of("away", true), true),
            ("AD FS, where it does not live", of("adfs", false), false),
            (
                "its name, and another home",
                Credential { tenant_id: Some("away".into()), ..named("user0@contoso.com") },
                false,
            ),
            (
                "its home, and another name",
                Credential { tenant_id: Some("home".into()), ..named("user1@contoso.com") },
                false,
            ),
            ("its record, whatever the name", recorded.clone(), true),
        ] {
            assert_eq!(credential.selects("u.home", "user0@contoso.com"), selects, "{what}");
        }
        assert!(!recorded.selects("other.home", "user1@contoso.com"), "another account than the record's");
    }

    #[test]
    fn usernames_have_no_case_in_any_alphabet() {
        for (one, other, same) in [
            ("user0@contoso.com", "User0@CONTOSO.com", true),
            ("ÄNNE@contoso.com", "änne@contoso.com", true),
            ("ἈΝΝΑ@contoso.com", "ἀννα@contoso.com", true),
            ("anne@contoso.com", "änne@contoso.com", false),
            ("user0@contoso.com", "user0@contoso.com ", false),
        ] {
            assert_eq!(same_name(one, other), same, "{one} {other}");
        }
    }
}
